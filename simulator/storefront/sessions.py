"""Who is asking: sessions, and what their shopper agreed to."""

from dataclasses import dataclass
from secrets import token_urlsafe

from simulator.storefront.database import Database

HOME_COUNTRY = "GB"
HOME_ZONE = "Europe/London"
STANDARD = "standard"
CONSENTS = ("analytics", "personalization", "location", "push")


@dataclass(frozen=True, slots=True)
class Consent:
    """What the shopper agreed to. Nothing, unless they said so."""

    analytics: bool = False
    personalization: bool = False
    location: bool = False
    push: bool = False


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever sent a request. `visitor` is the device, `account` the person once they logged in; anonymous has none.

    `zone` is an IANA time zone; `price_list` is that of the account as it was when it logged in, so that no price
    changes under a shopper's eyes.
    """

    session: str | None = None
    visitor: str | None = None
    account: str | None = None
    country: str = HOME_COUNTRY
    zone: str = HOME_ZONE
    price_list: str = STANDARD
    consent: Consent = Consent()

    @property
    def subject(self) -> str | None:
        """Whose data the answers hold: the account, else the visitor, else nobody's."""
        return self.account or self.visitor


def as_agreed(caller: Caller) -> Caller:
    """Take a caller by what they agreed to."""
    return caller


def owns(caller: Caller, owner: str) -> bool:
    """Return whether what belongs to an owner is the caller's own."""
    return caller.subject == owner


def start_session(database: Database, visitor: str, consent: Consent, country: str, zone: str) -> Caller:
    """Open a session for a visitor under a fresh, unguessable token.

    A session never starts logged in: knowing a visitor's id is enough to see that device's history, and must not be
    enough to see an account's orders.
    """
    caller = Caller(token_urlsafe(18), visitor, None, country, zone, STANDARD, consent)
    database.run(_OPEN, caller.session, visitor, country, zone, STANDARD, *_flags(consent))
    return caller


def find_session(database: Database, token: str) -> Caller | None:
    """Return the caller a token belongs to, or None if it was never given out."""
    row = database.one(_FIND, token)
    if row is None:
        return None
    visitor, account, country, zone, price_list, *consent = row
    return Caller(token, visitor, account, country, zone, price_list, Consent(*map(bool, consent)))


def change_consent(database: Database, token: str, consent: Consent) -> None:
    """Let a session agree to this from now on."""
    sql = "UPDATE sessions SET analytics = ?, personalization = ?, location = ?, push = ? WHERE token = ?"
    database.run(sql, *_flags(consent), token)


def count_sessions(database: Database, visitor: str) -> int:
    """Return how many sessions a device ever started."""
    row = database.one("SELECT COUNT(*) FROM sessions WHERE visitor = ?", visitor)
    return int(row[0]) if row else 0


def _flags(consent: Consent) -> tuple[bool, ...]:
    return consent.analytics, consent.personalization, consent.location, consent.push


_OPEN = (
    "INSERT INTO sessions (token, visitor, country, zone, price_list, analytics, personalization, location, push)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_FIND = (
    "SELECT visitor, account, country, zone, price_list, analytics, personalization, location, push"
    " FROM sessions WHERE token = ?"
)
