-- The SMSC that a message which is taken goes through: what may have been submitted there goes nowhere else. None for what an older
-- version took.
ALTER TABLE outbox ADD COLUMN smsc_id BYTEA;

-- Parts of incoming messages. Those of one message have a `group_id`, and `done_at` (by the machine's clock) once it was delivered:
-- they are kept a while after that, so that a part which is brought again is known.
CREATE TABLE incoming_parts (
    smsc_id BYTEA NOT NULL,
    sender TEXT NOT NULL,
    recipient TEXT NOT NULL,
    reference BIGINT NOT NULL,
    parts BIGINT NOT NULL,
    part BIGINT NOT NULL,
    group_id BYTEA NOT NULL,
    id TEXT NOT NULL,
    encoding TEXT NOT NULL,
    octets BYTEA NOT NULL,
    done_at BIGINT,
    PRIMARY KEY (smsc_id, sender, recipient, reference, parts, part)
);
CREATE INDEX incoming_parts_by_group ON incoming_parts (group_id);
CREATE INDEX incoming_parts_done ON incoming_parts (done_at) WHERE done_at IS NOT NULL;
