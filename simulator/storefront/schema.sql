-- Everything the shop remembers. The catalogue is not here: it follows from the seed.
-- `visitor` is a device's stable id, `account` a person who logged in, `owner` whichever of the two a thing belongs to.

CREATE TABLE IF NOT EXISTS meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS accounts (
    id     TEXT PRIMARY KEY,
    email  TEXT NOT NULL UNIQUE,
    salt   BLOB NOT NULL,
    digest BLOB NOT NULL
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS sessions (
    token           TEXT PRIMARY KEY,
    visitor         TEXT NOT NULL,
    account         TEXT REFERENCES accounts (id),
    country         TEXT NOT NULL,
    zone            TEXT NOT NULL,
    price_list      TEXT NOT NULL,
    analytics       INTEGER NOT NULL,
    personalization INTEGER NOT NULL,
    location        INTEGER NOT NULL,
    push            INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS sessions_by_visitor ON sessions (visitor);

-- Public keys of accounts. `counter` is the highest that a key has sent; one that sends less is a copy.
CREATE TABLE IF NOT EXISTS passkeys (
    id      BLOB PRIMARY KEY,
    account TEXT NOT NULL REFERENCES accounts (id),
    data    BLOB NOT NULL,
    counter INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS passkeys_by_account ON passkeys (account);

CREATE TABLE IF NOT EXISTS stock (
    sku      TEXT PRIMARY KEY,
    quantity INTEGER NOT NULL CHECK (quantity >= 0)
) WITHOUT ROWID;

-- What a shopper did who agreed to be remembered: the only thing personalisation reads.
CREATE TABLE IF NOT EXISTS history (
    id      INTEGER PRIMARY KEY,
    visitor TEXT NOT NULL,
    account TEXT,
    kind    TEXT NOT NULL CHECK (kind IN ('view', 'cart', 'order')),
    sku     TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS history_by_visitor ON history (visitor);
CREATE INDEX IF NOT EXISTS history_by_account ON history (account) WHERE account IS NOT NULL;
CREATE INDEX IF NOT EXISTS bought_by_visitor ON history (visitor) WHERE kind = 'order';
CREATE INDEX IF NOT EXISTS bought_by_account ON history (account) WHERE kind = 'order';

CREATE TABLE IF NOT EXISTS cart_lines (
    owner    TEXT NOT NULL,
    sku      TEXT NOT NULL,
    quantity INTEGER NOT NULL CHECK (quantity > 0),
    PRIMARY KEY (owner, sku)
) WITHOUT ROWID;

-- A checkout freezes what is bought and at what price; a payment pays one checkout; an order spends one payment.
CREATE TABLE IF NOT EXISTS checkouts (
    id       TEXT PRIMARY KEY,
    owner    TEXT NOT NULL,
    currency TEXT NOT NULL,
    total    INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS checkouts_by_owner ON checkouts (owner);

CREATE TABLE IF NOT EXISTS checkout_lines (
    checkout TEXT NOT NULL REFERENCES checkouts (id),
    sku      TEXT NOT NULL,
    quantity INTEGER NOT NULL CHECK (quantity > 0),
    price    INTEGER NOT NULL,
    PRIMARY KEY (checkout, sku)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS payments (
    id       TEXT PRIMARY KEY,
    checkout TEXT NOT NULL UNIQUE REFERENCES checkouts (id)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS orders (
    id        TEXT PRIMARY KEY,
    payment   TEXT NOT NULL UNIQUE REFERENCES payments (id),
    owner     TEXT NOT NULL,
    currency  TEXT NOT NULL,
    total     INTEGER NOT NULL,
    placed_at TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS orders_by_owner ON orders (owner);

CREATE TABLE IF NOT EXISTS order_lines (
    "order"  TEXT NOT NULL REFERENCES orders (id),
    sku      TEXT NOT NULL,
    quantity INTEGER NOT NULL CHECK (quantity > 0),
    price    INTEGER NOT NULL,
    PRIMARY KEY ("order", sku)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS events (
    id         INTEGER PRIMARY KEY,
    visitor    TEXT NOT NULL,
    account    TEXT,
    type       TEXT NOT NULL,
    sku        TEXT,
    at_ms      INTEGER NOT NULL,
    attributed INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS events_by_visitor ON events (visitor);
CREATE INDEX IF NOT EXISTS events_by_account ON events (account) WHERE account IS NOT NULL;

-- Points by order: `earned` is written with the order, `redeemed` (negative) when a reward is put on one. The sum of an
-- owner's rows is their balance. A guest's points wait here for the account that will claim the order.
CREATE TABLE IF NOT EXISTS loyalty (
    id      INTEGER PRIMARY KEY,
    owner   TEXT NOT NULL,
    "order" TEXT REFERENCES orders (id),
    kind    TEXT NOT NULL CHECK (kind IN ('earned', 'redeemed')),
    reward  TEXT NOT NULL,
    points  INTEGER NOT NULL,
    at      TEXT NOT NULL,
    UNIQUE ("order", kind, reward)
);
CREATE INDEX IF NOT EXISTS loyalty_by_owner ON loyalty (owner);

-- `number` is the place in the queue, `starts_ms` and `closes_ms` when somebody takes the ticket up and is done with it.
CREATE TABLE IF NOT EXISTS tickets (
    number    INTEGER PRIMARY KEY,
    id        TEXT NOT NULL UNIQUE,
    owner     TEXT NOT NULL,
    topic     TEXT NOT NULL,
    "order"   TEXT REFERENCES orders (id),
    sku       TEXT,
    opened_at TEXT NOT NULL,
    starts_ms INTEGER NOT NULL,
    closes_ms INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS tickets_by_owner ON tickets (owner);

CREATE TABLE IF NOT EXISTS shares (
    token      TEXT PRIMARY KEY,
    owner      TEXT NOT NULL,
    sku        TEXT NOT NULL,
    created_at TEXT NOT NULL,
    opens      INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS shares_by_owner ON shares (owner);

-- `stopped_at` is when the owner opted out, `gone` says that the push service answered 410 once.
CREATE TABLE IF NOT EXISTS push_endpoints (
    owner         TEXT NOT NULL,
    endpoint      TEXT NOT NULL,
    zone          TEXT NOT NULL,
    registered_at TEXT NOT NULL,
    stopped_at    TEXT,
    gone          INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (owner, endpoint)
) WITHOUT ROWID;

-- What the shop sent or holds back until `due_at`; `day` is the calendar day of the recipient's own wall. `status` is
-- what the push service answered, or 0 while the message is held.
CREATE TABLE IF NOT EXISTS push_messages (
    id         TEXT PRIMARY KEY,
    owner      TEXT NOT NULL,
    endpoint   TEXT NOT NULL,
    campaign   TEXT NOT NULL,
    title      TEXT NOT NULL,
    day        TEXT NOT NULL,
    due_at     TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    sent_at    TEXT,
    status     INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS push_messages_by_owner ON push_messages (owner);

-- The push service (RFC 8030), which is not the shop: it knows addresses and what waits at them, and no shopper.
CREATE TABLE IF NOT EXISTS subscriptions (
    id       TEXT PRIMARY KEY,
    endpoint TEXT NOT NULL UNIQUE,
    gone     INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS inbox (
    id           INTEGER PRIMARY KEY,
    subscription TEXT NOT NULL REFERENCES subscriptions (id),
    message      TEXT NOT NULL,
    title        TEXT NOT NULL,
    expires_at   TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS inbox_by_subscription ON inbox (subscription);

-- The fences that somebody stands in, and the time of the latest position they told (milliseconds, their own clock).
CREATE TABLE IF NOT EXISTS fences (
    owner TEXT NOT NULL,
    store TEXT NOT NULL,
    PRIMARY KEY (owner, store)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS positions (
    owner TEXT PRIMARY KEY,
    at_ms INTEGER NOT NULL
) WITHOUT ROWID;

-- Who was shown which arm, and what everybody looks at. Test traffic does not count.
CREATE TABLE IF NOT EXISTS exposures (
    experiment TEXT NOT NULL,
    arm        TEXT NOT NULL,
    unit       TEXT NOT NULL,
    counts     INTEGER NOT NULL,
    PRIMARY KEY (experiment, arm, unit)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS trends (
    sku   TEXT PRIMARY KEY,
    views INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS push_receipts (
    owner   TEXT NOT NULL,
    message TEXT NOT NULL,
    kind    TEXT NOT NULL CHECK (kind IN ('delivered', 'opened', 'dismissed')),
    at      TEXT NOT NULL,
    PRIMARY KEY (owner, message, kind)
) WITHOUT ROWID;
