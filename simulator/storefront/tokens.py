"""Attribution tokens: a stamp on a list of products that later says whom it was shown to.

`<nonce>.<mac>`, where the MAC covers the nonce and the visitor under the shop's secret: nothing needs storing, and
a token that was shown to somebody else does not verify.
"""

from base64 import urlsafe_b64encode
from hashlib import blake2b
from hmac import compare_digest
from secrets import token_urlsafe


class Stamps:
    """Issues and checks tokens under one secret (32 bytes, kept with the shop's data)."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def issue(self, visitor: str) -> str:
        """Return a fresh token for a list shown to this visitor."""
        nonce = token_urlsafe(6)
        return f"{nonce}.{self._mac(nonce, visitor)}"

    def belongs_to(self, token: str, visitor: str) -> bool:
        """Say whether this token was issued to this visitor."""
        nonce, _, mac = token.partition(".")
        return compare_digest(mac.encode(), self._mac(nonce, visitor).encode())

    def _mac(self, nonce: str, visitor: str) -> str:
        digest = blake2b(f"{nonce}\0{visitor}".encode(), digest_size=12, key=self._secret).digest()
        return urlsafe_b64encode(digest).decode()


def fresh_stamp(stamps: Stamps, visitor: str) -> str:
    """Issue a token of its own for each list."""
    return stamps.issue(visitor)
