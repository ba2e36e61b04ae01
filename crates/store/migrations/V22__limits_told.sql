-- The highest threshold of a month (its first instant) that the owner was told of, so that each is told once.
ALTER TABLE spending_limits ADD COLUMN told BIGINT NOT NULL DEFAULT 0;
ALTER TABLE spending_limits ADD COLUMN told_month BIGINT NOT NULL DEFAULT 0;
