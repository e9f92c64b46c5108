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
    analytics       INTEGER NOT NULL,
    personalization INTEGER NOT NULL,
    location        INTEGER NOT NULL,
    push            INTEGER NOT NULL
) WITHOUT ROWID;

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
    "order" TEXT NOT NULL REFERENCES orders (id),
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

CREATE TABLE IF NOT EXISTS push_endpoints (
    owner         TEXT NOT NULL,
    endpoint      TEXT NOT NULL,
    registered_at TEXT NOT NULL,
    PRIMARY KEY (owner, endpoint)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS push_receipts (
    owner   TEXT NOT NULL,
    message TEXT NOT NULL,
    kind    TEXT NOT NULL CHECK (kind IN ('delivered', 'opened', 'dismissed')),
    at      TEXT NOT NULL,
    PRIMARY KEY (owner, message, kind)
) WITHOUT ROWID;
