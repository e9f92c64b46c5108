"""Who asks, in the shapes that targets want it: bearer, basic, key in header or query, AWS Signature Version 4."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Any

from simulator.target.headers import spelled
from simulator.target.secrets import resolved
from simulator.target.template import Parts, as_text, fields_of, header_value, parse, text

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulator.target.call import Request
    from simulator.target.schema import Auth
    from simulator.target.template import Text, Values

AWS_EXTRA = "pip install footfall[aws]"
SIGNED = ("content-type", "x-amz-target")
"""Headers of ours that are signed beside `host` and the service's own; a proxy may change any other on its way."""


def auth_header(auth: Auth) -> tuple[str, Parts, Callable[[str], str]] | None:
    """Return (header, template, what is made of the rendered text) of the header that says who asks, if one does."""
    if auth.kind == "bearer":
        return "Authorization", parse(f"Bearer {auth.token}"), _as_it_is
    if auth.kind == "basic":
        return "Authorization", parse(f"{auth.user or ''}:{auth.password or ''}"), _basic
    if auth.kind == "api_key" and auth.header:
        return spelled(auth.header), parse(auth.key or ""), _as_it_is
    return None


def _as_it_is(value: str) -> str:
    return value


def _basic(pair: str) -> str:
    """RFC 7617: user and password, joined by a colon, in base 64 of UTF-8."""
    return f"Basic {b64encode(pair.encode()).decode()}"


def render_header(parts: Parts, finish: Callable[[str], str]) -> str | Text:
    """Return the header's value, or the function that makes it where it names fields."""
    if not fields_of(parts):
        return header_value(finish("".join(map(str, parts))))
    plain = text(parts, as_text)

    def render(values: Values) -> str:
        return header_value(finish(plain(values)))

    return render


class Signer:
    """Signs requests for AWS with botocore, whose signature covers the body and the host that it is sent to."""

    def __init__(self, auth: Auth) -> None:
        # An extra: 30 MB, and only some targets ask for it.
        from botocore.auth import SigV4Auth  # noqa: PLC0415
        from botocore.awsrequest import AWSRequest  # noqa: PLC0415
        from botocore.credentials import Credentials  # noqa: PLC0415

        user, password, token = (resolved(value or "") for value in (auth.user, auth.password, auth.session))
        region = resolved(auth.region or "")
        self._auth: Any = SigV4Auth(Credentials(user, password, token or None), auth.service or "", region)
        self._request: Any = AWSRequest

    def sign(self, request: Request, base_url: str) -> None:
        """Add the headers of the signature, which holds for the time of signing and this base URL."""
        known = {name: value for name, value in request.headers.items() if name.lower() in SIGNED}
        asked = self._request(request.method, base_url + request.url, headers=known, data=request.body or b"")
        self._auth.add_auth(asked)
        request.headers.update({name: value for name, value in asked.headers.items() if name.lower() not in SIGNED})
