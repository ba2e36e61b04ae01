-- What happened in a stretch of time, and which of it a webhook was told: replays of a range look at no more than they ask for.
CREATE INDEX events_by_time ON events (environment_id, at, id);
CREATE INDEX deliveries_by_time ON deliveries (webhook_id, at);
