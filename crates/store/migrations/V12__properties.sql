-- Parts of an environment with numbers and messages of their own. Every environment has one from the start, whose id is its own.
CREATE TABLE properties (
    id BYTEA PRIMARY KEY,
    environment_id BYTEA NOT NULL REFERENCES environments (id),
    name TEXT NOT NULL,
    main_domain TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    sms_enabled BOOLEAN NOT NULL,
    call_recording_enabled BOOLEAN NOT NULL,
    integrations_enabled BOOLEAN NOT NULL,
    active BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    version BIGINT NOT NULL
);
CREATE INDEX properties_by_environment ON properties (environment_id, id);
INSERT INTO properties (id, environment_id, name, main_domain, time_zone, sms_enabled, call_recording_enabled, integrations_enabled, active,
                        created_at, version)
SELECT id, id, 'Default', '', 'UTC', TRUE, FALSE, FALSE, TRUE, created_at, 1 FROM environments;

-- Keys that could do everything an account's key can go on to.
UPDATE keys SET scopes = scopes || ' numbers:release properties:read properties:write logins' WHERE scopes LIKE '%numbers:write%keys%';
