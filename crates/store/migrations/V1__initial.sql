-- Times are microseconds since 1970 in UTC; ids are 16 bytes; money is millionths of a unit.

CREATE TABLE accounts (
    id BYTEA PRIMARY KEY,
    name TEXT NOT NULL,
    email TEXT NOT NULL,
    currency TEXT NOT NULL,
    status TEXT NOT NULL,
    verified BOOLEAN NOT NULL,
    sms_enabled BOOLEAN NOT NULL,
    mms_enabled BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE environments (
    id BYTEA PRIMARY KEY,
    account_id BYTEA NOT NULL REFERENCES accounts (id),
    kind TEXT NOT NULL,
    clock_offset BIGINT NOT NULL,
    clock_frozen_at BIGINT,
    rate_limit BIGINT NOT NULL,
    rate_period BIGINT NOT NULL,
    rate_burst BIGINT NOT NULL,
    monthly_quota BIGINT,
    created_at BIGINT NOT NULL,
    UNIQUE (account_id, kind)
);

CREATE TABLE keys (
    id BYTEA PRIMARY KEY,
    environment_id BYTEA REFERENCES environments (id),
    kind TEXT NOT NULL,
    hash BYTEA NOT NULL UNIQUE,
    prefix TEXT NOT NULL,
    last_four TEXT NOT NULL,
    scopes TEXT NOT NULL,
    label TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    revoked_at BIGINT,
    last_used_at BIGINT,
    replaced_by BYTEA
);
CREATE INDEX keys_by_environment ON keys (environment_id, created_at);

-- The balances are a projection of the transfers, kept so that no statement can spend what is not there.
CREATE TABLE wallets (
    environment_id BYTEA PRIMARY KEY REFERENCES environments (id),
    currency TEXT NOT NULL,
    available BIGINT NOT NULL CHECK (available >= 0),
    held BIGINT NOT NULL CHECK (held >= 0),
    sequence BIGINT NOT NULL,
    head BYTEA NOT NULL
);

-- Appended, never changed. `hash` covers the row and `previous`.
CREATE TABLE transfers (
    id BYTEA PRIMARY KEY,
    wallet_id BYTEA NOT NULL REFERENCES wallets (environment_id),
    sequence BIGINT NOT NULL,
    kind TEXT NOT NULL,
    debit TEXT NOT NULL,
    credit TEXT NOT NULL,
    amount BIGINT NOT NULL CHECK (amount > 0),
    hold_id BYTEA,
    deadline BIGINT,
    reference TEXT NOT NULL,
    description TEXT NOT NULL,
    posted_at BIGINT NOT NULL,
    available_after BIGINT NOT NULL,
    held_after BIGINT NOT NULL,
    previous BYTEA NOT NULL,
    hash BYTEA NOT NULL
);
CREATE UNIQUE INDEX transfers_by_wallet ON transfers (wallet_id, sequence);
CREATE INDEX transfers_by_kind ON transfers (wallet_id, kind, posted_at, sequence);

CREATE TABLE holds (
    id BYTEA PRIMARY KEY REFERENCES transfers (id),
    wallet_id BYTEA NOT NULL,
    sequence BIGINT NOT NULL,
    posted_at BIGINT NOT NULL,
    remaining BIGINT NOT NULL CHECK (remaining >= 0),
    captured BIGINT NOT NULL CHECK (captured >= 0),
    deadline BIGINT NOT NULL
);
CREATE INDEX holds_open ON holds (wallet_id, posted_at, sequence) WHERE remaining > 0;
CREATE INDEX holds_cancelled ON holds (wallet_id, posted_at, sequence) WHERE remaining = 0 AND captured = 0;

-- How many transfers of each kind a wallet had on a day, by what they were for, and their sum. A projection of the transfers, like
-- the balances, so that neither a month's sum nor a count nor a limit has to read them all.
CREATE TABLE daily_totals (
    wallet_id BYTEA NOT NULL,
    day BIGINT NOT NULL,
    kind TEXT NOT NULL,
    category TEXT NOT NULL,
    count BIGINT NOT NULL,
    amount BIGINT NOT NULL,
    PRIMARY KEY (wallet_id, day, kind, category)
);

-- Every number that this installation can sell, has sold or has taken over, once for each kind of environment.
CREATE TABLE inventory (
    kind TEXT NOT NULL,
    number BIGINT NOT NULL,
    carrier TEXT NOT NULL,
    features BIGINT NOT NULL,
    monthly BIGINT NOT NULL CHECK (monthly >= 0),
    setup BIGINT NOT NULL CHECK (setup >= 0),
    currency TEXT NOT NULL,
    address_requirement TEXT NOT NULL,
    state TEXT NOT NULL,
    holder BYTEA,
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (kind, number)
);

CREATE TABLE numbers (
    id BYTEA PRIMARY KEY,
    environment_id BYTEA NOT NULL REFERENCES environments (id),
    phone BIGINT NOT NULL,
    state TEXT NOT NULL,
    friendly_name TEXT,
    carrier TEXT NOT NULL,
    features BIGINT NOT NULL,
    monthly BIGINT NOT NULL,
    setup BIGINT NOT NULL,
    currency TEXT NOT NULL,
    config TEXT NOT NULL,
    purchased_at BIGINT NOT NULL,
    periods_paid BIGINT NOT NULL,
    grace_until BIGINT,
    released_at BIGINT,
    port_id BYTEA,
    version BIGINT NOT NULL
);
CREATE UNIQUE INDEX numbers_current ON numbers (environment_id, phone) WHERE state <> 'released';
CREATE INDEX numbers_by_environment ON numbers (environment_id, id);

CREATE TABLE orders (
    id BYTEA PRIMARY KEY,
    environment_id BYTEA NOT NULL REFERENCES environments (id),
    operation BYTEA NOT NULL,
    phone BIGINT NOT NULL,
    carrier TEXT NOT NULL,
    friendly_name TEXT,
    features BIGINT NOT NULL,
    monthly BIGINT NOT NULL,
    setup BIGINT NOT NULL,
    currency TEXT NOT NULL,
    hold_id BYTEA,
    state TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX orders_pending ON orders (environment_id, phone) WHERE state = 'pending';
CREATE INDEX orders_by_operation ON orders (environment_id, operation);

CREATE TABLE ports (
    id BYTEA PRIMARY KEY,
    environment_id BYTEA NOT NULL REFERENCES environments (id),
    kind TEXT NOT NULL,
    operation BYTEA NOT NULL,
    phone BIGINT NOT NULL,
    number_id BYTEA NOT NULL,
    carrier TEXT NOT NULL,
    state TEXT NOT NULL,
    account_number TEXT NOT NULL,
    account_pin TEXT,
    carrier_name TEXT,
    billing_phone BIGINT NOT NULL,
    end_user_name TEXT NOT NULL,
    end_user_address TEXT NOT NULL,
    fee BIGINT NOT NULL CHECK (fee >= 0),
    currency TEXT NOT NULL,
    hold_id BYTEA,
    reason TEXT,
    scheduled_for BIGINT,
    completed_at BIGINT,
    estimated_completion BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    version BIGINT NOT NULL
);
CREATE INDEX ports_by_environment ON ports (environment_id, id);
CREATE INDEX ports_by_state ON ports (state, id);
CREATE INDEX ports_by_operation ON ports (environment_id, operation);
-- A number is on its way to one account at a time.
CREATE UNIQUE INDEX ports_open ON ports (kind, phone) WHERE state IN ('pending', 'submitted', 'scheduled');

CREATE TABLE documents (
    id BYTEA PRIMARY KEY,
    port_id BYTEA NOT NULL REFERENCES ports (id),
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    media_type TEXT NOT NULL,
    size BIGINT NOT NULL,
    content BYTEA NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX documents_by_port ON documents (port_id, id);

-- One row for every change of state: what webhooks, live views and reconciliation read.
CREATE TABLE events (
    id BYTEA PRIMARY KEY,
    environment_id BYTEA NOT NULL,
    object TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    kind TEXT NOT NULL,
    data TEXT NOT NULL,
    at BIGINT NOT NULL
);
CREATE UNIQUE INDEX events_by_object ON events (object, sequence);
CREATE INDEX events_by_environment ON events (environment_id, id);

CREATE TABLE explanations (
    id BYTEA PRIMARY KEY,
    environment_id BYTEA NOT NULL,
    subject TEXT NOT NULL,
    decision TEXT NOT NULL,
    outcome TEXT NOT NULL,
    steps TEXT NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX explanations_by_subject ON explanations (environment_id, subject, id);

-- Due work. `due_at` is by the environment's clock; `wake_at` is the same instant by the machine's clock, or null while the
-- environment's clock stands still before it.
CREATE TABLE jobs (
    id BYTEA PRIMARY KEY,
    environment_id BYTEA NOT NULL,
    kind TEXT NOT NULL,
    subject BYTEA NOT NULL,
    step BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    wake_at BIGINT,
    attempts BIGINT NOT NULL
);
CREATE UNIQUE INDEX jobs_once ON jobs (kind, subject, step);
CREATE INDEX jobs_by_wake ON jobs (wake_at);
CREATE INDEX jobs_by_environment ON jobs (environment_id, due_at);

CREATE TABLE idempotency (
    environment_id BYTEA NOT NULL,
    key_hash BYTEA NOT NULL,
    fingerprint BYTEA NOT NULL,
    status BIGINT NOT NULL,
    body BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (environment_id, key_hash)
);
CREATE INDEX idempotency_by_age ON idempotency (created_at);

CREATE TABLE requests (
    id BYTEA PRIMARY KEY,
    environment_id BYTEA,
    dialect TEXT NOT NULL,
    key_last_four TEXT NOT NULL,
    method TEXT NOT NULL,
    route TEXT NOT NULL,
    path TEXT NOT NULL,
    status BIGINT NOT NULL,
    code TEXT NOT NULL,
    duration BIGINT NOT NULL,
    hint TEXT NOT NULL,
    body TEXT NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX requests_by_environment ON requests (environment_id, id);
CREATE INDEX requests_by_age ON requests (at);

CREATE TABLE usage (
    environment_id BYTEA NOT NULL,
    day BIGINT NOT NULL,
    metric TEXT NOT NULL,
    count BIGINT NOT NULL,
    PRIMARY KEY (environment_id, day, metric)
);

CREATE TABLE invoices (
    id BYTEA PRIMARY KEY,
    environment_id BYTEA NOT NULL REFERENCES environments (id),
    period_start BIGINT NOT NULL,
    period_end BIGINT NOT NULL,
    amount BIGINT NOT NULL,
    currency TEXT NOT NULL,
    lines TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    issued_at BIGINT NOT NULL,
    UNIQUE (environment_id, period_start)
);

CREATE TABLE spending_limits (
    id BYTEA PRIMARY KEY,
    environment_id BYTEA NOT NULL REFERENCES environments (id),
    kind TEXT NOT NULL,
    amount BIGINT NOT NULL,
    action TEXT NOT NULL,
    notifications TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (environment_id, kind)
);

-- What other processes have in memory and must read again: keys, accounts, inventory.
CREATE TABLE invalidations (
    id BYTEA PRIMARY KEY,
    kind TEXT NOT NULL,
    subject BYTEA NOT NULL,
    node BYTEA NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX invalidations_by_age ON invalidations (at);

CREATE TABLE audit (
    id BYTEA PRIMARY KEY,
    operator TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail TEXT NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX audit_by_age ON audit (at);

CREATE TABLE settings (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
);
