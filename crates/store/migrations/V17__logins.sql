-- People who may sign in. `password` is a PHC string of Argon2id.
CREATE TABLE logins (
    id BYTEA PRIMARY KEY,
    environment_id BYTEA NOT NULL REFERENCES environments (id),
    email TEXT NOT NULL,
    email_key TEXT NOT NULL,
    password TEXT NOT NULL,
    first_name TEXT NOT NULL,
    last_name TEXT NOT NULL,
    enabled BOOLEAN NOT NULL,
    permissions TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    version BIGINT NOT NULL
);
CREATE INDEX logins_by_environment ON logins (environment_id, id);
-- Nobody signs in as two: an address is used once, whatever the case of its letters.
CREATE UNIQUE INDEX logins_by_email ON logins (environment_id, email_key);
