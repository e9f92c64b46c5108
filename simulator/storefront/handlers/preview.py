"""Models for augmented reality: the same for everybody, and so the one thing here that caches may keep."""

from http import HTTPStatus

from starlette.responses import Response

from simulator.storefront.call import Call
from simulator.storefront.models import glb, usdz

_APPLE = ("iPhone", "iPad", "iPod")


async def model(call: Call) -> Response:
    """Send a product's model in the format of the caller's phone, or 304 if the caller has it."""
    product, agent = call.product(), call.request.headers.get("user-agent", "")
    made = (usdz if any(name in agent for name in _APPLE) else glb)(product)
    headers = {"cache-control": "public, max-age=86400", "etag": made.etag, "vary": "User-Agent"}
    if _known(call.request.headers.get("if-none-match", ""), made.etag):
        return Response(None, HTTPStatus.NOT_MODIFIED, headers)
    return Response(made.content, HTTPStatus.OK, headers, made.media_type)


def _known(condition: str, etag: str) -> bool:
    """Return whether If-None-Match names the tag, by the weak comparison (RFC 9110, 13.1.2)."""
    names = [name.strip().removeprefix("W/") for name in condition.split(",")]
    return etag in names or names == ["*"]
