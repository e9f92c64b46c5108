"""Models for augmented reality: the same for everybody, and so the one file here that caches anywhere may keep."""

import re
from http import HTTPStatus

from starlette.responses import Response

from simulator.storefront.call import Call
from simulator.storefront.edge import knows
from simulator.storefront.models import Model

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


async def model(call: Call) -> Response:
    """Send a product's model in the format of the caller's phone, a part of it if asked, or 304 if it is known."""
    request, rules = call.request, call.shop.rules
    made = rules.model(call.product(), request.headers.get("user-agent", ""))
    headers = {"cache-control": "public, max-age=86400", "etag": made.etag, "vary": "User-Agent"}
    if knows(request, made.etag):
        return Response(None, HTTPStatus.NOT_MODIFIED, headers)
    if not rules.sends_ranges:
        return Response(made.content, HTTPStatus.OK, headers, made.media_type)
    headers["accept-ranges"] = "bytes"
    wanted = request.headers.get("range")
    if wanted is None or request.headers.get("if-range", made.etag) != made.etag:
        return Response(made.content, HTTPStatus.OK, headers, made.media_type)
    return _part(made, wanted, headers)


def _part(made: Model, wanted: str, headers: dict[str, str]) -> Response:
    """Send one range of the file; several, or another unit, are answered with all of it (RFC 9110, 14.2)."""
    total, found = len(made.content), _RANGE.fullmatch(wanted.strip())
    if found is None or found[0] == "bytes=-":
        return Response(made.content, HTTPStatus.OK, headers, made.media_type)
    first = int(found[1]) if found[1] else max(0, total - int(found[2]))
    last = min(int(found[2]), total - 1) if found[1] and found[2] else total - 1
    if first > last or (not found[1] and int(found[2]) == 0):
        headers = {"content-range": f"bytes */{total}"}
        return Response(None, HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, headers)
    headers |= {"content-range": f"bytes {first}-{last}/{total}"}
    return Response(made.content[first : last + 1], HTTPStatus.PARTIAL_CONTENT, headers, made.media_type)
