-- Calls that are over. `written` is the place of a call among its environment's as they are written down. `callee_key` and `endpoint_key`
-- are the environment with the number, `caller_key` the property with it: with one column to ask for, no planner can take an index that
-- is too wide.
CREATE TABLE calls (
    id BYTEA PRIMARY KEY,
    environment_id BYTEA NOT NULL REFERENCES environments (id),
    property_id BYTEA NOT NULL,
    direction TEXT NOT NULL,
    caller TEXT NOT NULL,
    caller_key BYTEA,
    callee BIGINT NOT NULL,
    callee_key BYTEA NOT NULL,
    endpoint BIGINT,
    endpoint_key BYTEA,
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
CREATE INDEX calls_by_property ON calls (property_id, started_at, id);
CREATE INDEX calls_by_callee ON calls (callee_key, started_at, id);
CREATE INDEX calls_by_endpoint ON calls (endpoint_key, started_at, id) WHERE endpoint_key IS NOT NULL;
CREATE INDEX calls_by_caller ON calls (caller_key) WHERE caller_key IS NOT NULL;

-- How many calls each environment has written down.
CREATE TABLE call_sequences (
    environment_id BYTEA PRIMARY KEY,
    written BIGINT NOT NULL
);
