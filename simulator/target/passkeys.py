"""A phone's passkey: real P-256 keys from the run's seed, and answers to WebAuthn ceremonies that any server can check.

Options and answers are JSON as browsers exchange it with servers (W3C Web Authentication Level 3, section 5.1,
`parseCreationOptionsFromJSON` and `toJSON`). Nothing is kept between ceremonies but the counter: key and credential id
follow from the seed, the shopper and the relying party, so every worker has the same phones.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Number of points of NIST P-256 (FIPS 186-5, SP 800-186 3.2.1.3)."""
_SALT = b"footfall passkey 1"
_ID_BYTES = 16


class CeremonyError(ValueError):
    """What a server offered is no ceremony that this phone can take part in; the message says why."""


@dataclass
class Phone:
    """A software authenticator of one shopper, with the user's finger on it.

    `origin` is where the browser believes to be; by default the relying party's own https address. `counter` is that of
    the last signature: None for synced passkeys, which always say 0 (as Apple's and Google's do), so that a shopper's
    next run never looks like a copied key.
    """

    seed: int
    shopper: int
    origin: str | None = None
    counter: int | None = None

    def answer(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Take part in whichever ceremony the options begin: with `pubKeyCredParams` a key is made. `CeremonyError`."""
        return self.create(options) if "pubKeyCredParams" in options else self.get(options)

    def create(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Return the registration of this phone's key at the relying party, with attestation `none`."""
        from fido2 import cbor  # noqa: PLC0415 - only shoppers with passkeys need it
        from fido2.cose import ES256  # noqa: PLC0415 - same
        from fido2.webauthn import AttestedCredentialData, AuthenticatorData, CollectedClientData  # noqa: PLC0415

        party = _rp_id(options.get("rp"), "id")
        offered = {one.get("alg") for one in options.get("pubKeyCredParams", [])}
        if offered and ES256.ALGORITHM not in offered:
            raise CeremonyError("the server takes no ES256 key (algorithm -7)")
        key, name = _key(self.seed, self.shopper, party), self.credential_id(party)
        public = ES256.from_cryptography_key(key.public_key())  # type: ignore[no-untyped-call] # the library's
        credential = AttestedCredentialData.create(bytes(16), name, public)
        flags = AuthenticatorData.FLAG.UP | AuthenticatorData.FLAG.UV | AuthenticatorData.FLAG.AT
        proof = AuthenticatorData.create(_hash(party), flags, self._count(), credential)
        client = CollectedClientData.create("webauthn.create", _challenge(options), self.origin or f"https://{party}")
        attestation = cbor.encode({"fmt": "none", "attStmt": {}, "authData": bytes(proof)})
        return _credential(name, clientDataJSON=bytes(client), attestationObject=attestation)

    def get(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Return a signature of the server's challenge; `CeremonyError` if it asks for keys of other phones only."""
        from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415 - as above
        from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415 - same
        from fido2.webauthn import AuthenticatorData, CollectedClientData  # noqa: PLC0415 - same

        party = _rp_id(options, "rpId")
        name = self.credential_id(party)
        asked = [one.get("id") for one in options.get("allowCredentials") or []]
        if asked and _text(name) not in asked:
            raise CeremonyError("the server asks for another phone's key")
        flags = AuthenticatorData.FLAG.UP | AuthenticatorData.FLAG.UV
        proof = AuthenticatorData.create(_hash(party), flags, self._count())
        client = CollectedClientData.create("webauthn.get", _challenge(options), self.origin or f"https://{party}")
        key = _key(self.seed, self.shopper, party)
        signature = key.sign(bytes(proof) + client.hash, ec.ECDSA(SHA256()))
        return _credential(name, clientDataJSON=bytes(client), authenticatorData=bytes(proof), signature=signature)

    def credential_id(self, party: str) -> bytes:
        """Return the id of this phone's key at a relying party."""
        return sha256(f"{self.seed:x}/{self.shopper}/{party}/id".encode()).digest()[:_ID_BYTES]

    def _count(self) -> int:
        if self.counter is None:
            return 0
        self.counter += 1
        return self.counter


@lru_cache(maxsize=4_096)
def _key(seed: int, shopper: int, party: str) -> EllipticCurvePrivateKey:
    """Return the private key: 48 bytes of HKDF-SHA-256 (RFC 5869), reduced to 1…n-1 (FIPS 186-5, A.2.1)."""
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415 - as above
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415 - same
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF  # noqa: PLC0415 - same

    material = HKDF(SHA256(), 48, _SALT, f"{shopper}/{party}".encode()).derive(f"{seed:x}".encode())
    return ec.derive_private_key(int.from_bytes(material) % (P256_ORDER - 1) + 1, ec.SECP256R1())


def _credential(name: bytes, **response: bytes) -> dict[str, Any]:
    return {
        "id": _text(name),
        "rawId": _text(name),
        "type": "public-key",
        "authenticatorAttachment": "platform",
        "clientExtensionResults": {},
        "response": {field: _text(value) for field, value in response.items()},
    }


def _rp_id(holder: object, field: str) -> str:
    found = holder.get(field) if hasattr(holder, "get") else None
    if not isinstance(found, str) or not found:
        raise CeremonyError("the options name no relying party")
    return found


def _challenge(options: Mapping[str, Any]) -> str:
    challenge = options.get("challenge")
    if not isinstance(challenge, str) or not challenge:
        raise CeremonyError("the options have no challenge")
    return challenge.rstrip("=")


def _hash(party: str) -> bytes:
    return sha256(party.encode()).digest()


def _text(value: bytes) -> str:
    from fido2.utils import websafe_encode  # noqa: PLC0415 - as above

    return websafe_encode(value)
