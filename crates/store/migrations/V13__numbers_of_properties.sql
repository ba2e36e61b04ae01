-- Postal addresses. `place` is the country, or the country and a region that we know.
CREATE TABLE addresses (
    id BYTEA PRIMARY KEY,
    environment_id BYTEA NOT NULL REFERENCES environments (id),
    friendly TEXT,
    reference TEXT,
    line1 TEXT NOT NULL,
    line2 TEXT,
    city TEXT NOT NULL,
    region TEXT,
    country TEXT NOT NULL,
    postal_code TEXT,
    place TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX addresses_by_environment ON addresses (environment_id, id);
CREATE INDEX addresses_by_place ON addresses (environment_id, place, id);
CREATE INDEX addresses_by_country ON addresses (environment_id, country, id);

-- `wants` is the place in which a number still needs an address. `sort` is its type and its features: 16 times the place of the type
-- (local, toll-free, shared-rate, national), and the bits of the features.
ALTER TABLE numbers ADD COLUMN property_id BYTEA;
ALTER TABLE numbers ADD COLUMN address_id BYTEA;
ALTER TABLE numbers ADD COLUMN address_requirement TEXT NOT NULL DEFAULT 'none';
ALTER TABLE numbers ADD COLUMN wants TEXT;
ALTER TABLE numbers ADD COLUMN sort BIGINT NOT NULL DEFAULT 0;
UPDATE numbers SET property_id = environment_id, sort = features + 16 * CASE
    WHEN phone / 10000000 IN (1800, 1833, 1844, 1855, 1866, 1877, 1888, 44800, 44808) OR phone / 1000000 = 611800 THEN 1
    WHEN phone / 1000000 = 611300 THEN 2
    WHEN phone / 100000000 = 614 OR phone / 1000000000 = 447 THEN 3
    ELSE 0 END;
CREATE INDEX numbers_by_property ON numbers (property_id, sort, id) WHERE state <> 'released';
CREATE INDEX numbers_by_sort ON numbers (environment_id, sort, id) WHERE state <> 'released';
CREATE INDEX numbers_by_address ON numbers (address_id) WHERE address_id IS NOT NULL AND state <> 'released';
CREATE INDEX numbers_wanting ON numbers (environment_id, wants, id) WHERE wants IS NOT NULL;

-- How many numbers of each sort a property has.
CREATE TABLE number_counts (
    environment_id BYTEA NOT NULL,
    property_id BYTEA NOT NULL,
    sort BIGINT NOT NULL,
    total BIGINT NOT NULL,
    PRIMARY KEY (environment_id, property_id, sort)
);
INSERT INTO number_counts (environment_id, property_id, sort, total)
SELECT environment_id, property_id, sort, COUNT(*) FROM numbers WHERE state <> 'released' GROUP BY environment_id, property_id, sort;

ALTER TABLE orders ADD COLUMN property_id BYTEA;
ALTER TABLE orders ADD COLUMN address_id BYTEA;
ALTER TABLE orders ADD COLUMN address_requirement TEXT NOT NULL DEFAULT 'none';
UPDATE orders SET property_id = environment_id;
