"""Who you are and what you agree to: sessions, logging in with a password, consent."""

import re
from dataclasses import asdict
from http import HTTPStatus

from starlette.responses import Response

from simulator.storefront.accounts import ACCOUNT_PREFIX, log_in
from simulator.storefront.call import Call, json_response, set_session
from simulator.storefront.errors import invalid
from simulator.storefront.geofence import forget_positions
from simulator.storefront.push import opt_out
from simulator.storefront.reading import Fields, as_object, optional_text, read_object, text, yes_or_no
from simulator.storefront.sessions import CONSENTS, Consent, change_consent, start_session
from simulator.storefront.zones import zone_named, zone_of

_VISITOR = re.compile(r"[A-Za-z0-9._:@-]{1,128}")
_COUNTRY = re.compile(r"[A-Za-z]{2}")


async def health(call: Call) -> Response:
    """Say that the shop is open, and how many products it has."""
    return json_response({"status": "ok", "products": len(call.shop.catalogue)})


async def session(call: Call) -> Response:
    """Start a session for a visitor: token in the answer and in the cookie."""
    fields = await read_object(call.request)
    country = _country(call, fields)
    visitor, consent, zone = _visitor(fields), _consent(fields, Consent()), _zone(fields, country)
    caller = start_session(call.shop.database, visitor, consent, country, zone)
    answer = Call(call.request, call.shop, caller).answer(HTTPStatus.CREATED, session=caller.session)
    set_session(answer, caller)
    return answer


async def identify(call: Call) -> Response:
    """Say who the shop takes the caller for, and whether they have been here before."""
    call.owner()
    await read_object(call.request)
    caller = call.caller
    visits = call.shop.rules.visits(call.shop.database, caller.visitor or "")
    return call.answer(account=caller.account, visits=visits, returning=visits > 1)


async def login(call: Call) -> Response:
    """Make the session its account's, and say what the account's cart holds now."""
    visitor = call.owner()
    fields = await read_object(call.request)
    # What was accepted before belongs to the account as well, and must be there to be claimed.
    call.shop.intake.settle()
    caller = await log_in(call.shop.database, call.caller, text(fields, "email"), text(fields, "password"))
    return Call(call.request, call.shop, caller).answer(account=caller.account, merged_from=visitor)


async def consent(call: Call) -> Response:
    """Show what this session agreed to."""
    call.session()
    return call.answer(consent=asdict(call.caller.consent))


async def set_consent(call: Call) -> Response:
    """Change what this session agrees to, from now on; what is not named stays."""
    token, owner, shop = call.session(), call.owner(), call.shop
    fields = await read_object(call.request)
    unknown = fields.keys() - set(CONSENTS)
    if unknown:
        raise invalid(f"consents are {', '.join(CONSENTS)}")
    agreed = _consent({"consent": fields}, call.caller.consent)
    shop.intake.settle()
    change_consent(shop.database, token, agreed)
    stopped = 0
    if not agreed.push:
        stopped = opt_out(shop.database, owner, shop.clock(), shop.rules.manners.stop_delay_s)
    if not agreed.location:
        forget_positions(shop.database, owner)
    return call.answer(consent=asdict(agreed), endpoints_stopped=stopped)


def _visitor(fields: Fields) -> str:
    visitor = text(fields, "visitor")
    if not _VISITOR.fullmatch(visitor) or visitor.startswith(ACCOUNT_PREFIX):
        raise invalid(f"visitor may have letters, digits and . _ : @ - and must not begin with {ACCOUNT_PREFIX}")
    return visitor


def _consent(fields: Fields, before: Consent) -> Consent:
    given = as_object(fields.get("consent", {}), "consent")
    return Consent(*(yes_or_no(given, name, default=getattr(before, name)) for name in CONSENTS))


def _country(call: Call, fields: Fields) -> str:
    country = fields.get("country", "GB")
    if not isinstance(country, str) or not _COUNTRY.fullmatch(country):
        raise invalid("country must be two letters (ISO 3166)")
    return call.shop.rules.country(country)


def _zone(fields: Fields, country: str) -> str:
    """Return the time zone that was named, else that of most people of the country."""
    named = optional_text(fields, "timezone")
    return zone_of(country.upper()) if named is None else zone_named(named).key
