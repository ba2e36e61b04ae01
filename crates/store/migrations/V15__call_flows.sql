-- What becomes of calls, by rules of which the first that fits decides.
CREATE TABLE call_flows (
    id BYTEA PRIMARY KEY,
    environment_id BYTEA NOT NULL REFERENCES environments (id),
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    phone BIGINT,
    active BOOLEAN NOT NULL,
    routing TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    version BIGINT NOT NULL
);
CREATE INDEX call_flows_by_environment ON call_flows (environment_id, id);

-- Menus that callers choose from by keys.
CREATE TABLE ivr_menus (
    id BYTEA PRIMARY KEY,
    environment_id BYTEA NOT NULL REFERENCES environments (id),
    name TEXT NOT NULL,
    prompt TEXT NOT NULL,
    options TEXT NOT NULL,
    settings TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    version BIGINT NOT NULL
);
CREATE INDEX ivr_menus_by_environment ON ivr_menus (environment_id, id);

-- Where flows and menus send calls: in any case, or depending on hour, caller or choice. What is a target is in use.
CREATE TABLE flow_links (
    environment_id BYTEA NOT NULL,
    source TEXT NOT NULL,
    target TEXT NOT NULL,
    certain BOOLEAN NOT NULL,
    PRIMARY KEY (environment_id, source, target)
);
CREATE INDEX flow_links_by_target ON flow_links (environment_id, target, source);

-- The flow that a number's configuration names, beside the configuration: which numbers use a flow is asked of an index.
ALTER TABLE numbers ADD COLUMN call_flow TEXT;
CREATE INDEX numbers_by_flow ON numbers (environment_id, call_flow, phone) WHERE call_flow IS NOT NULL;
