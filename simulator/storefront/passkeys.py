"""The relying party of WebAuthn: challenges, signatures and counters are real, checked by the `fido2` library.

Two ceremonies (W3C Web Authentication Level 2, section 7): `create` gives an account a key, `get` logs in with it. Each
begins with a challenge that can be answered once, by the session it was given to, within a minute.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from hashlib import blake2b
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar

from simulator.storefront.database import Database
from simulator.storefront.errors import ShopError, conflict, invalid

if TYPE_CHECKING:
    from fido2.server import Fido2Server
    from fido2.webauthn import (
        AttestedCredentialData,
        PublicKeyCredentialUserEntity,
        UserVerificationRequirement,
    )

_T = TypeVar("_T")

RP_ID = "halfpenny-lane.example"
ORIGIN = f"https://{RP_ID}"
"""Where the shop says it is, even when a test talks to it at a loopback address."""
TIMEOUT_S = 60.0
MOST_OPEN = 10_000
CREATE, GET = "create", "get"


@dataclass(frozen=True, slots=True)
class Checks:
    """What the relying party looks at besides the signature; all of it, unless a hazard is on."""

    origin: bool = True
    counter: bool = True
    single_use: bool = True


EVERY_CHECK = Checks()


@dataclass(frozen=True, slots=True)
class Ceremony:
    """A challenge that waits for its answer; `account` is whose key is made or asked for, `email` a newcomer's."""

    kind: str
    account: str | None
    email: str
    state: Any
    until: datetime


class Passkeys:
    """The keys of all accounts, and the ceremonies that are open, one a session."""

    def __init__(self, database: Database, checks: Checks) -> None:
        self._database = database
        self._checks = checks
        self._open: OrderedDict[str, Ceremony] = OrderedDict()

    def begin_create(self, session: str, account: str | None, email: str, now: datetime) -> dict[str, Any]:
        """Return the options of a new key for an account, or for a newcomer without one yet."""
        server, known = _server(origin=self._checks.origin), self.keys_of(account) if account else []
        options, state = server.register_begin(_user(email), known, user_verification=_required())
        self._keep(session, Ceremony(CREATE, account, email, state, now + timedelta(seconds=TIMEOUT_S)))
        return dict(options.public_key)

    def begin_get(self, session: str, account: str, email: str, now: datetime) -> dict[str, Any]:
        """Return the options of a login with one of the account's keys."""
        server = _server(origin=self._checks.origin)
        options, state = server.authenticate_begin(self.keys_of(account), _required())
        self._keep(session, Ceremony(GET, account, email, state, now + timedelta(seconds=TIMEOUT_S)))
        return dict(options.public_key)

    def take(self, session: str, now: datetime) -> Ceremony:
        """Return the session's open ceremony, which is then over; 409 if there is none or its minute has passed."""
        found = self._open.pop(session, None)
        if found is None or found.until < now:
            raise conflict("no_challenge", "begin with POST /api/auth/begin, and finish within a minute")
        if not self._checks.single_use:
            self._open[session] = found
        return found

    def check_new(self, ceremony: Ceremony, response: dict[str, Any]) -> "tuple[AttestedCredentialData, int]":
        """Return the new key and its counter; 401 if anything about the answer is not right."""
        proved = _checked(lambda: _server(origin=self._checks.origin).register_complete(ceremony.state, response))
        assert proved.credential_data is not None
        return proved.credential_data, proved.counter

    def keep(self, account: str, key: "AttestedCredentialData", counter: int) -> None:
        """Give an account a key; 409 if somebody has it already."""
        sql = "INSERT OR IGNORE INTO passkeys (id, account, data, counter) VALUES (?, ?, ?, ?)"
        if self._database.run(sql, key.credential_id, account, bytes(key), counter) == 0:
            raise conflict("known_passkey", "this passkey is somebody's already")

    def check_known(self, ceremony: Ceremony, response: dict[str, Any]) -> None:
        """Check the answer to a login; 401 if its key, signature, challenge, origin or counter is not right.

        A counter that did not grow means that two devices have the same key (section 6.1.1).
        """
        assert ceremony.account is not None
        keys, server = self.keys_of(ceremony.account), _server(origin=self._checks.origin)
        key = _checked(lambda: server.authenticate_complete(ceremony.state, keys, response))
        counter = _counter(response)
        sql = "UPDATE passkeys SET counter = ?1 WHERE id = ?2 AND (counter < ?1 OR (counter = 0 AND ?1 = 0))"
        if self._database.run(sql, counter, key.credential_id) == 0 and self._checks.counter:
            raise _refused("copied_passkey", "the passkey's counter did not grow: there is a copy of it")

    def keys_of(self, account: str) -> "list[AttestedCredentialData]":
        """Return the keys of an account."""
        from fido2.webauthn import AttestedCredentialData  # noqa: PLC0415 - a tenth of a second that few shops need

        rows = self._database.all("SELECT data FROM passkeys WHERE account = ?", account)
        return [AttestedCredentialData(row[0]) for row in rows]

    def _keep(self, session: str, ceremony: Ceremony) -> None:
        self._open.pop(session, None)
        self._open[session] = ceremony
        if len(self._open) > MOST_OPEN:
            self._open.popitem(last=False)


@cache
def _server(*, origin: bool) -> "Fido2Server":
    from fido2.server import Fido2Server  # noqa: PLC0415 - see above
    from fido2.webauthn import PublicKeyCredentialRpEntity  # noqa: PLC0415 - see above

    party = PublicKeyCredentialRpEntity(name="Halfpenny Lane", id=RP_ID)
    return Fido2Server(party, verify_origin=(lambda said: said == ORIGIN) if origin else lambda _said: True)


def _required() -> "UserVerificationRequirement":
    from fido2.webauthn import UserVerificationRequirement  # noqa: PLC0415 - see above

    return UserVerificationRequirement.REQUIRED


def _user(email: str) -> "PublicKeyCredentialUserEntity":
    from fido2.webauthn import PublicKeyCredentialUserEntity  # noqa: PLC0415 - see above

    # A user handle has at most 64 bytes and says nothing of its user (section 14.6.1).
    handle = blake2b(email.encode(), digest_size=32).digest()
    return PublicKeyCredentialUserEntity(id=handle, name=email, display_name=email.partition("@")[0])


def _checked(complete: Callable[[], _T]) -> _T:
    """Let the library check an answer; 422 if it cannot be read, 401 if it is wrong."""
    try:
        return complete()
    except ValueError as wrong:
        raise _refused("wrong_passkey", str(wrong)) from None
    except Exception:  # noqa: BLE001 - whatever a decoder says of bytes that came from outside
        raise invalid("credential must be a WebAuthn response in JSON") from None


def _counter(response: dict[str, Any]) -> int:
    from fido2.webauthn import AuthenticationResponse  # noqa: PLC0415 - see above

    return int(AuthenticationResponse.from_dict(response).response.authenticator_data.counter)


def _refused(code: str, message: str) -> ShopError:
    return ShopError(HTTPStatus.UNAUTHORIZED, code, message)
