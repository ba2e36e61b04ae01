-- Where a movement of a test clock was to go, so that its repetition after a crash goes to the same instant and not further.
CREATE TABLE clock_moves (
    environment_id BYTEA NOT NULL,
    operation BYTEA NOT NULL,
    target BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (environment_id, operation)
);
CREATE INDEX clock_moves_by_age ON clock_moves (created_at);
