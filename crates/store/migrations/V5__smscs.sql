-- Short message service centres that the live environments' messages go through. Everything about the bind that no statement asks for
-- is in `settings`.
CREATE TABLE smscs (
    id BYTEA PRIMARY KEY,
    name TEXT NOT NULL,
    password BYTEA NOT NULL,
    settings TEXT NOT NULL,
    drained BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL
);

-- Rules by which the SMSC of the pocket network fails for one environment.
CREATE TABLE faults (
    id BYTEA PRIMARY KEY,
    environment_id BYTEA NOT NULL REFERENCES environments (id),
    place TEXT NOT NULL,
    effect TEXT NOT NULL,
    value BIGINT NOT NULL,
    probability BIGINT NOT NULL,
    seed BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX faults_by_environment ON faults (environment_id, id);
