-- Messages of both directions. What really goes out is in `sealed` where the body must not be read.
CREATE TABLE messages (
    id BYTEA PRIMARY KEY,
    environment_id BYTEA NOT NULL REFERENCES environments (id),
    direction TEXT NOT NULL,
    channel TEXT NOT NULL,
    state TEXT NOT NULL,
    sender TEXT NOT NULL,
    recipient TEXT NOT NULL,
    body TEXT NOT NULL,
    sealed BYTEA,
    media TEXT NOT NULL,
    encoding TEXT NOT NULL,
    parts BIGINT NOT NULL,
    price BIGINT NOT NULL CHECK (price >= 0),
    currency TEXT NOT NULL,
    hold_id BYTEA,
    smsc_id BYTEA,
    failure_code TEXT,
    failure_reason TEXT,
    created_at BIGINT NOT NULL,
    sent_at BIGINT,
    completed_at BIGINT,
    expires_at BIGINT NOT NULL
);
CREATE INDEX messages_by_environment ON messages (environment_id, id);
CREATE INDEX messages_by_recipient ON messages (environment_id, recipient, id);
CREATE INDEX messages_open ON messages (environment_id, expires_at) WHERE state IN ('queued', 'sending', 'sent');

-- Messages that no SMSC has taken yet. Those of one environment to one recipient stand in line: the first is `ready` or `taken` by
-- a process, the others are `behind` it.
CREATE TABLE outbox (
    message_id BYTEA PRIMARY KEY,
    environment_id BYTEA NOT NULL,
    kind TEXT NOT NULL,
    recipient TEXT NOT NULL,
    state TEXT NOT NULL,
    node BYTEA
);
CREATE INDEX outbox_lines ON outbox (environment_id, recipient, message_id);
CREATE INDEX outbox_ready ON outbox (kind, message_id) WHERE state = 'ready';
CREATE INDEX outbox_taken ON outbox (kind, node, message_id) WHERE state = 'taken';

-- Processes that hand messages to SMSCs, and when each was last heard of, by the machine's clock.
CREATE TABLE outbox_nodes (
    node BYTEA PRIMARY KEY,
    seen_at BIGINT NOT NULL
);

-- What became of each part of a message: `unsent` (certainly not submitted), `accepted`, `refused`, or what its receipt says.
CREATE TABLE message_parts (
    message_id BYTEA NOT NULL,
    part BIGINT NOT NULL,
    state TEXT NOT NULL,
    smsc_id BYTEA NOT NULL,
    remote_id TEXT,
    error TEXT,
    submitted_at BIGINT NOT NULL,
    receipt_at BIGINT,
    PRIMARY KEY (message_id, part)
);
CREATE INDEX message_parts_by_remote ON message_parts (smsc_id, remote_id);

-- Receipts whose message is not known yet: one row for each way to read the id that the SMSC gave.
CREATE TABLE early_receipts (
    id BYTEA NOT NULL,
    smsc_id BYTEA NOT NULL,
    remote_id TEXT NOT NULL,
    state TEXT NOT NULL,
    error TEXT,
    at BIGINT NOT NULL,
    kept_at BIGINT NOT NULL,
    PRIMARY KEY (smsc_id, remote_id, id)
);
CREATE INDEX early_receipts_by_id ON early_receipts (id);
CREATE INDEX early_receipts_by_age ON early_receipts (kept_at);

-- Incoming messages that were seen, so that one that an SMSC brings twice is one.
CREATE TABLE incoming_seen (
    smsc_id BYTEA NOT NULL,
    id TEXT NOT NULL,
    seen_at BIGINT NOT NULL,
    PRIMARY KEY (smsc_id, id)
);
CREATE INDEX incoming_seen_by_age ON incoming_seen (seen_at);

-- Recipients who want no messages from a number or name.
CREATE TABLE opt_outs (
    environment_id BYTEA NOT NULL REFERENCES environments (id),
    sender TEXT NOT NULL,
    recipient TEXT NOT NULL,
    id BYTEA NOT NULL,
    source TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (environment_id, recipient, sender)
);
CREATE INDEX opt_outs_by_environment ON opt_outs (environment_id, id);

CREATE INDEX numbers_by_phone ON numbers (phone) WHERE state <> 'released';
