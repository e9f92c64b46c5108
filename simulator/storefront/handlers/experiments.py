"""Experiments: which arm a caller is in, that they were shown it, and how many were shown which."""

from http import HTTPStatus
from typing import Any

from starlette.responses import Response

from simulator.storefront.call import Call
from simulator.storefront.edge import knows, tag_of
from simulator.storefront.errors import conflict, invalid, not_found
from simulator.storefront.experiments import BY_KEY, EXPERIMENTS, Experiment, expose, exposed
from simulator.storefront.reading import read_object, text


async def decide(call: Call) -> Response:
    """Tell all the caller's arms, or 304 to whoever has them; asking is no exposure."""
    flags = [_flag(call, experiment) for experiment in EXPERIMENTS]
    return _with_tag(call, call.answer(flags=flags), flags)


async def decide_one(call: Call) -> Response:
    """Tell the caller's arm of one experiment, or 304."""
    flag = _flag(call, _known(str(call.request.path_params["key"])))
    return _with_tag(call, call.answer(**flag), [flag])


async def exposure(call: Call) -> Response:
    """Write down that the caller was shown an arm: 201, or 200 if that was known; 409 if it is not theirs."""
    unit = call.owner()
    fields = await read_object(call.request)
    experiment, arm = _known(text(fields, "flag")), text(fields, "variant")
    if arm not in experiment.arms:
        raise invalid(f"variant must be one of {', '.join(experiment.arms)}")
    if arm != call.variant(experiment):
        raise conflict("not_assigned", f"this caller is not in {arm} of {experiment.key}")
    counts = call.shop.rules.counts(call.request)
    new = expose(call.shop.database, experiment, arm, call.caller.visitor or unit, counts=counts)
    return call.answer(HTTPStatus.CREATED if new else HTTPStatus.OK, flag=experiment.key, stored=int(new))


async def statistics(call: Call) -> Response:
    """Show how many were shown each arm; tests that say they are tests do not count."""
    counts = exposed(call.shop.database)
    shown = [
        {"key": e.key, "arms": [{"variant": arm, "exposed": counts.get((e.key, arm), 0)} for arm in e.arms]}
        for e in EXPERIMENTS
    ]
    return call.answer(experiments=shown)


def _known(key: str) -> Experiment:
    if key not in BY_KEY:
        raise not_found(f"experiment {key[:64]!r}")
    return BY_KEY[key]


def _flag(call: Call, experiment: Experiment) -> dict[str, Any]:
    arm = call.variant(experiment)
    # Reasons as OFREP has them: an arm by chance, or the first one for whoever cannot be told apart.
    reason = "SPLIT" if call.caller.visitor else "DEFAULT"
    return {"key": experiment.key, "value": arm != experiment.arms[0], "variant": arm, "reason": reason}


def _with_tag(call: Call, answer: Response, flags: list[dict[str, Any]]) -> Response:
    """Return the answer with the tag of its decisions alone, which is what makes it another."""
    arms = ",".join(f"{flag['key']}={flag['variant']}" for flag in flags)
    etag = tag_of(f"{call.caller.subject}:{arms}".encode())
    headers = {"etag": etag, "vary": "Authorization, Cookie", "cache-control": "private, no-cache"}
    if knows(call.request, etag):
        return Response(None, HTTPStatus.NOT_MODIFIED, headers)
    answer.headers.update(headers)
    return answer
