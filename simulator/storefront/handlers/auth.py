"""Logging in with a finger or a face: the two halves of a WebAuthn ceremony."""

from secrets import token_urlsafe
from typing import Any

from starlette.responses import Response

from simulator.storefront.accounts import SHOPPER_DOMAIN, account_of, enter, make_account
from simulator.storefront.call import Call
from simulator.storefront.errors import conflict
from simulator.storefront.passkeys import CREATE, GET, Ceremony
from simulator.storefront.reading import as_object, optional_text, read_object, text


async def begin(call: Call) -> Response:
    """Return the options of a ceremony: `get` where the account has a passkey, else `create`.

    A newcomer may make an account with a passkey at once. An account that has a password only must be logged in with
    it before it gets a key: 409 `no_passkey` says so, and is no dead end.
    """
    session, shop = call.session(), call.shop
    email = text(await read_object(call.request), "email").casefold()
    account = account_of(shop.database, email)
    if account is not None and shop.passkeys.keys_of(account):
        options = shop.passkeys.begin_get(session, account, email, shop.clock())
        return call.answer(mode=GET, public_key=options)
    if not email.endswith(SHOPPER_DOMAIN) or (account is not None and account != call.caller.account):
        raise conflict("no_passkey", "log in with POST /api/login first")
    return call.answer(mode=CREATE, public_key=shop.passkeys.begin_create(session, account, email, shop.clock()))


async def finish(call: Call) -> Response:
    """Check the phone's answer and log in: 401 if anything about it is wrong, and the password still works."""
    session, visitor, shop = call.session(), call.owner(), call.shop
    fields = await read_object(call.request)
    credential = as_object(fields.get("credential"), "credential")
    ceremony = shop.passkeys.take(session, shop.clock())
    account = await _proved(call, ceremony, credential, optional_text(fields, "password"))
    shop.intake.settle()
    caller = enter(shop.database, call.caller, account)
    return Call(call.request, shop, caller).answer(account=account, merged_from=visitor, mode=ceremony.kind)


async def _proved(call: Call, ceremony: Ceremony, credential: dict[str, Any], password: str | None) -> str:
    """Return the account that the credential opens; a newcomer's is made, with their password or an unguessable one."""
    shop = call.shop
    if ceremony.kind == GET:
        assert ceremony.account is not None
        shop.passkeys.check_known(ceremony, credential)
        return ceremony.account
    key, counter = shop.passkeys.check_new(ceremony, credential)
    account = ceremony.account
    if account is None:
        if account_of(shop.database, ceremony.email) is not None:
            raise conflict("no_passkey", "somebody has made this account meanwhile: log in with POST /api/login first")
        await make_account(shop.database, ceremony.email, password or token_urlsafe(24))
        account = account_of(shop.database, ceremony.email)
        assert account is not None
    shop.passkeys.keep(account, key, counter)
    return account
