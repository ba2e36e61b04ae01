-- Calls that are over. `written` is the place of a call among its environment's as they are written down.
CREATE TABLE calls (
    id BYTEA PRIMARY KEY,
    environment_id BYTEA NOT NULL REFERENCES environments (id),
    property_id BYTEA NOT NULL,
    direction TEXT NOT NULL,
    caller TEXT NOT NULL,
    callee BIGINT NOT NULL,
    endpoint BIGINT,
    started_at BIGINT NOT NULL,
    answered_at BIGINT,
    ended_at BIGINT NOT NULL,
    duration BIGINT NOT NULL,
    disposition TEXT NOT NULL,
    source TEXT,
    medium TEXT,
    campaign TEXT,
    content TEXT,
    prompts TEXT NOT NULL,
    recording TEXT,
    country TEXT,
    region TEXT,
    city TEXT,
    first_call BOOLEAN NOT NULL,
    written BIGINT NOT NULL
);
CREATE UNIQUE INDEX calls_written ON calls (environment_id, written);
CREATE INDEX calls_by_environment ON calls (environment_id, started_at, id);
CREATE INDEX calls_by_property ON calls (environment_id, property_id, started_at, id);
CREATE INDEX calls_by_callee ON calls (environment_id, callee, started_at, id);
CREATE INDEX calls_by_endpoint ON calls (environment_id, endpoint, started_at, id) WHERE endpoint IS NOT NULL;
CREATE INDEX calls_by_caller ON calls (environment_id, property_id, caller);

-- How many calls each environment has written down.
CREATE TABLE call_sequences (
    environment_id BYTEA PRIMARY KEY,
    written BIGINT NOT NULL
);
