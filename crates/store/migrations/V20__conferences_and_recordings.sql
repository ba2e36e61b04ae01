-- Conferences. `pin` is a keyed hash.
CREATE TABLE conferences (
    id BYTEA PRIMARY KEY,
    environment_id BYTEA NOT NULL REFERENCES environments (id),
    name TEXT NOT NULL,
    scheduled_for BIGINT,
    max_participants BIGINT NOT NULL,
    require_pin BOOLEAN NOT NULL,
    pin BYTEA,
    record BOOLEAN NOT NULL,
    hold_music TEXT,
    mute_on_entry BOOLEAN NOT NULL,
    participants_record BOOLEAN NOT NULL,
    member_notification BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    ended_at BIGINT,
    version BIGINT NOT NULL
);
CREATE INDEX conferences_by_environment ON conferences (environment_id, id);

CREATE TABLE participants (
    id BYTEA PRIMARY KEY,
    conference_id BYTEA NOT NULL REFERENCES conferences (id),
    phone BIGINT,
    name TEXT,
    role TEXT NOT NULL,
    presence TEXT NOT NULL,
    muted BOOLEAN NOT NULL,
    on_hold BOOLEAN NOT NULL,
    call_id BYTEA,
    added_at BIGINT NOT NULL,
    joined_at BIGINT,
    left_at BIGINT
);
CREATE INDEX participants_by_conference ON participants (conference_id, id);

-- Recordings and messages that callers left. Their bytes are in the object store.
CREATE TABLE recordings (
    id BYTEA PRIMARY KEY,
    environment_id BYTEA NOT NULL REFERENCES environments (id),
    kind TEXT NOT NULL,
    call_id BYTEA,
    conference_id BYTEA,
    number BIGINT,
    caller BIGINT,
    name TEXT,
    state TEXT NOT NULL,
    format TEXT NOT NULL,
    participant TEXT NOT NULL,
    object TEXT NOT NULL,
    size BIGINT NOT NULL,
    length BIGINT NOT NULL,
    started_at BIGINT NOT NULL,
    stopped_at BIGINT,
    delete_at BIGINT,
    version BIGINT NOT NULL
);
CREATE INDEX recordings_by_environment ON recordings (environment_id, id);
CREATE INDEX recordings_by_call ON recordings (call_id, id) WHERE call_id IS NOT NULL;
CREATE INDEX recordings_by_conference ON recordings (conference_id, id) WHERE conference_id IS NOT NULL;
CREATE INDEX recordings_by_number ON recordings (environment_id, number, id) WHERE number IS NOT NULL;

-- What is to be removed from the object store: recordings whose row is gone.
CREATE TABLE object_removals (
    object TEXT PRIMARY KEY,
    at BIGINT NOT NULL
);
