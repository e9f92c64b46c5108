"""The members' programme: the balance of one's points, and what they buy."""

from http import HTTPStatus

from starlette.responses import Response

from simulator.storefront.call import Call
from simulator.storefront.errors import forbidden, invalid
from simulator.storefront.loyalty import ACTIVITIES, REWARDS, balance, earn_by, read_ledger, reward_of
from simulator.storefront.reading import read_object, text

_ENTRIES = 20


async def loyalty(call: Call) -> Response:
    """Show a member's own balance, what it is made of, and what it reaches."""
    account = _account(call)
    have = balance(call.shop.database, account)
    rewards = [reward._asdict() | {"within_reach": reward.points <= have} for reward in REWARDS]
    entries = [entry._asdict() for entry in read_ledger(call.shop.database, account, _ENTRIES)]
    return call.answer(account=account, balance=have, rewards=rewards, entries=entries)


async def redeem_reward(call: Call) -> Response:
    """Put a reward on one of the member's orders: 201 the first time, 200 without taking more points after that."""
    fields = await read_object(call.request)
    reward, order = reward_of(text(fields, "reward")), text(fields, "order")
    account, database = _account(call), call.shop.database
    new = await call.shop.rules.redeem(database, account, reward, order, call.shop.clock().isoformat())
    status = HTTPStatus.CREATED if new else HTTPStatus.OK
    return call.answer(
        status, account=account, reward=reward.id, order=order, points=reward.points, balance=balance(database, account)
    )


async def earn(call: Call) -> Response:
    """Give a member points for something done without an order: 201 the first time, 200 and no more after that."""
    fields = await read_object(call.request)
    activity, reference = text(fields, "activity"), text(fields, "reference", limit=64)
    if activity not in ACTIVITIES:
        raise invalid(f"activity must be one of {', '.join(ACTIVITIES)}")
    account, database = _account(call), call.shop.database
    new = earn_by(database, account, activity, reference, call.shop.clock().isoformat())
    status = HTTPStatus.CREATED if new else HTTPStatus.OK
    points = ACTIVITIES[activity] if new else 0
    return call.answer(status, account=account, activity=activity, points=points, balance=balance(database, account))


def _account(call: Call) -> str:
    """Return the account of the path, which must be the caller's own; 403 says no more than that it is not."""
    account = str(call.request.path_params["account"])
    if not call.shop.rules.may_read(call.caller, account):
        call.member()
        raise forbidden("not_yours", "this is not the account you logged in to")
    return account
