"""Who is asking: sessions, what their shopper agreed to, and the variant they are sure to see again."""

from dataclasses import dataclass
from hashlib import blake2b
from secrets import token_urlsafe

from simulator.storefront.database import Database
from simulator.storefront.money import currency_of

_EXPERIMENT = b"home-hero"
_HOME_COUNTRY = "GB"


@dataclass(frozen=True, slots=True)
class Consent:
    """What the shopper agreed to. Nothing, unless they said so."""

    analytics: bool = False
    personalization: bool = False
    location: bool = False
    push: bool = False


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever sent a request. `visitor` is the device, `account` the person once they logged in; anonymous has none."""

    session: str | None = None
    visitor: str | None = None
    account: str | None = None
    country: str = _HOME_COUNTRY
    consent: Consent = Consent()

    @property
    def subject(self) -> str | None:
        """Whose data the answers hold: the account, else the visitor, else nobody's."""
        return self.account or self.visitor

    @property
    def currency(self) -> str:
        """The currency every price is given in."""
        return currency_of(self.country)

    @property
    def variant(self) -> str:
        """The arm of the shop's own experiment. It hangs on the device alone, so that no login can flip it."""
        return variant_of(self.visitor) if self.visitor else "control"


def variant_of(visitor: str) -> str:
    """Return `control` or `treatment`, half of all visitors each, the same for ever."""
    digest = blake2b(visitor.encode(), digest_size=8, key=_EXPERIMENT).digest()
    return "treatment" if digest[0] & 1 else "control"


def start_session(database: Database, visitor: str, consent: Consent, country: str) -> Caller:
    """Open a session for a visitor under a fresh, unguessable token.

    A session never starts logged in: knowing a visitor's id is enough to see that device's history, and must not be
    enough to see an account's orders.
    """
    token = token_urlsafe(18)
    database.run(
        "INSERT INTO sessions (token, visitor, country, analytics, personalization, location, push)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        token,
        visitor,
        country,
        consent.analytics,
        consent.personalization,
        consent.location,
        consent.push,
    )
    return Caller(token, visitor, None, country, consent)


def find_session(database: Database, token: str) -> Caller | None:
    """Return the caller a token belongs to, or None if it was never given out."""
    row = database.one(_FIND, token)
    if row is None:
        return None
    visitor, account, country, *consent = row
    return Caller(token, visitor, account, country, Consent(*map(bool, consent)))


_FIND = "SELECT visitor, account, country, analytics, personalization, location, push FROM sessions WHERE token = ?"
