"""Who you are: starting a session, logging in."""

import re
from http import HTTPStatus

from starlette.responses import Response

from simulator.storefront.accounts import ACCOUNT_PREFIX, log_in
from simulator.storefront.call import COOKIE, Call, json_response
from simulator.storefront.errors import invalid
from simulator.storefront.reading import Fields, as_object, read_object, text, yes_or_no
from simulator.storefront.sessions import Consent, start_session

_VISITOR = re.compile(r"[A-Za-z0-9._:@-]{1,128}")
_COUNTRY = re.compile(r"[A-Z]{2}")


async def health(call: Call) -> Response:
    """Say that the shop is open, and how many products it has."""
    return json_response({"status": "ok", "products": len(call.shop.catalogue)})


async def session(call: Call) -> Response:
    """Start a session for a visitor: token in the answer and in the cookie."""
    fields = await read_object(call.request)
    caller = start_session(call.shop.database, _visitor(fields), _consent(fields), _country(fields))
    answer = Call(call.request, call.shop, caller).answer(HTTPStatus.CREATED, session=caller.session)
    answer.set_cookie(COOKIE, caller.session or "", path="/", httponly=True, samesite="lax")
    return answer


async def login(call: Call) -> Response:
    """Make the session its account's, and say what the account's cart holds now."""
    visitor = call.owner()
    fields = await read_object(call.request)
    caller = await log_in(call.shop.database, call.caller, text(fields, "email"), text(fields, "password"))
    return Call(call.request, call.shop, caller).answer(account=caller.account, merged_from=visitor)


def _visitor(fields: Fields) -> str:
    visitor = text(fields, "visitor")
    if not _VISITOR.fullmatch(visitor) or visitor.startswith(ACCOUNT_PREFIX):
        raise invalid(f"visitor may have letters, digits and . _ : @ - and must not begin with {ACCOUNT_PREFIX}")
    return visitor


def _consent(fields: Fields) -> Consent:
    given = as_object(fields.get("consent", {}), "consent")
    return Consent(*(yes_or_no(given, name) for name in ("analytics", "personalization", "location", "push")))


def _country(fields: Fields) -> str:
    country = fields.get("country", "GB")
    if not isinstance(country, str) or not _COUNTRY.fullmatch(country):
        raise invalid("country must be two capital letters (ISO 3166)")
    return country
