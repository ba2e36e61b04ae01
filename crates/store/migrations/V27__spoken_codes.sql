-- Codes that are spoken: the call that says one. Its bytes are in message_id as well, which may not be empty.
ALTER TABLE verification_sends ADD COLUMN call_id BYTEA;
