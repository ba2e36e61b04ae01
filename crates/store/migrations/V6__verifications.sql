-- Verifications of telephone numbers. A code is here as a keyed hash and sealed, and only while it can be used.
CREATE TABLE verifications (
    id BYTEA PRIMARY KEY,
    environment_id BYTEA NOT NULL REFERENCES environments (id),
    key_id BYTEA NOT NULL,
    phone BIGINT NOT NULL,
    country TEXT NOT NULL,
    channel TEXT NOT NULL,
    brand TEXT NOT NULL,
    locale TEXT NOT NULL,
    code_length BIGINT NOT NULL,
    state TEXT NOT NULL,
    code_mac BYTEA,
    code_sealed BYTEA,
    sends BIGINT NOT NULL,
    checks BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    sent_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    ended_at BIGINT,
    version BIGINT NOT NULL
);
CREATE UNIQUE INDEX verifications_pending ON verifications (environment_id, phone) WHERE state = 'pending';
CREATE INDEX verifications_by_phone ON verifications (environment_id, phone, id);
CREATE INDEX verifications_by_environment ON verifications (environment_id, id);
CREATE INDEX verifications_by_end ON verifications (environment_id, country, ended_at);

-- Each sending of a code. `block` is the number without its last four digits.
CREATE TABLE verification_sends (
    verification_id BYTEA NOT NULL,
    number BIGINT NOT NULL,
    environment_id BYTEA NOT NULL,
    key_id BYTEA NOT NULL,
    phone BIGINT NOT NULL,
    block BIGINT NOT NULL,
    message_id BYTEA NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (verification_id, number)
);
CREATE INDEX verification_sends_by_phone ON verification_sends (environment_id, phone, at);
CREATE INDEX verification_sends_by_block ON verification_sends (environment_id, block, at);
CREATE INDEX verification_sends_by_key ON verification_sends (environment_id, key_id, at);
CREATE INDEX verification_sends_by_environment ON verification_sends (environment_id, at);

-- What an operator set for an environment's verifications, where that differs from what is usual.
CREATE TABLE verification_policies (
    environment_id BYTEA PRIMARY KEY REFERENCES environments (id),
    policy TEXT NOT NULL
);
