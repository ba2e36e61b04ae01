-- Trunks that calls come from and go to. Everything that no statement asks for is in `settings`. `ha1` is sealed: with it one can be
-- taken for the trunk.
CREATE TABLE trunks (
    id BYTEA PRIMARY KEY,
    name TEXT NOT NULL,
    serves TEXT NOT NULL,
    user_name TEXT,
    ha1 BYTEA,
    settings TEXT NOT NULL,
    drained BOOLEAN NOT NULL,
    health TEXT NOT NULL,
    health_since BIGINT NOT NULL,
    health_detail TEXT,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX trunks_by_user ON trunks (user_name) WHERE user_name IS NOT NULL;

-- SIP devices. `ha1` is sealed.
CREATE TABLE devices (
    id BYTEA PRIMARY KEY,
    environment_id BYTEA NOT NULL REFERENCES environments (id),
    user_name TEXT NOT NULL UNIQUE,
    ha1 BYTEA NOT NULL,
    label TEXT NOT NULL,
    caller_id BIGINT,
    max_registrations BIGINT NOT NULL,
    enabled BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    version BIGINT NOT NULL
);
CREATE INDEX devices_by_environment ON devices (environment_id, id);

-- Where devices can be reached. Times are the machine's.
CREATE TABLE registrations (
    device_id BYTEA NOT NULL REFERENCES devices (id),
    contact TEXT NOT NULL,
    source TEXT NOT NULL,
    transport TEXT NOT NULL,
    user_agent TEXT NOT NULL,
    path TEXT NOT NULL,
    call_id TEXT NOT NULL,
    cseq BIGINT NOT NULL,
    q BIGINT NOT NULL,
    node BYTEA NOT NULL,
    registered_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (device_id, contact)
);
CREATE INDEX registrations_by_end ON registrations (expires_at);
