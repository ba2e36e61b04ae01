-- When a trunk last answered, by the machine's clock.
ALTER TABLE trunks ADD COLUMN answered_at BIGINT;
