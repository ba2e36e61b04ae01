-- `spool` is the folder in which a recording's file is until the object store has it: whoever has that folder completes the recording.
-- `heard_at` is when somebody marked a message as heard.
ALTER TABLE recordings ADD COLUMN spool BYTEA;
ALTER TABLE recordings ADD COLUMN heard_at BIGINT;
CREATE INDEX recordings_by_spool ON recordings (spool, id) WHERE spool IS NOT NULL;
