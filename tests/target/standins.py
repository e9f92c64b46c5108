# ruff: noqa: ARG001 - answers share one signature
"""Small servers of the documented shape of vendors: each refuses what the vendor's documentation refuses.

Segment: HTTP API. GA4: Measurement Protocol and its validation server. Algolia: search, recommend, Insights. Amazon
Personalize: botocore's own service models and Signature Version 4, computed here anew. Google Retail: v2 discovery.
OFREP 0.2, Unleash Frontend API, GrowthBook remote evaluation, Flagsmith SDK API. FCM v1, OneSignal v1, RFC 8030.
"""

import base64
import hashlib
import hmac
import re
from datetime import UTC, datetime
from pathlib import Path

from botocore.session import get_session
from botocore.validate import ParamValidator
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

KEY = "the-right-key"
FILES_PAGE = Path(__file__).resolve().parents[2] / "docs" / "files.md"


def no(status, why):
    """Refuse, saying why."""
    return JSONResponse({"message": why}, status)


def route(path, method, answer):
    """Return a route whose handler gets the request and its JSON body."""

    async def handle(request):
        body = await request.body()
        typed = request.headers.get("content-type", "").startswith("application/json")
        request.state.raw = body
        return answer(request, await request.json() if body and typed else None)

    return Route(path, handle, methods=[method])


def app(*routes):
    """Return an application of (path, method, answer)."""
    return Starlette(routes=[route(*one) for one in routes])


def is_text(*values):
    """Return whether all are text that is not empty."""
    return all(isinstance(value, str) and value for value in values)


# --- Segment ---------------------------------------------------------------------------------------------------------


def segment_call(*needed):
    """Answer as Segment does: 200 to whatever is JSON and small enough; 401 without a write key."""

    def answer(request, body):
        user = base64.b64decode(request.headers.get("authorization", "").removeprefix("Basic ") or "Og==").decode()
        if user != f"{KEY}:":
            return no(401, "no write key")
        if not isinstance(body, dict) or len(request.state.raw) > 32_768:
            return no(400, "no JSON, or more than 32 kB")
        # The real one says 200 here too and drops the event; a test wants to know.
        if not (body.get("userId") or body.get("anonymousId")) or not all(body.get(name) for name in needed):
            return no(422, f"would be dropped: {body}")
        if not isinstance(body["context"]["consent"]["categoryPreferences"]["Analytics"], bool):
            return no(422, "consent is a map of booleans")
        if "timestamp" in body:
            datetime.fromisoformat(body["timestamp"])
        return JSONResponse({"success": True})

    return answer


SEGMENT = app(
    ("/v1/identify", "POST", segment_call("traits")),
    ("/v1/page", "POST", segment_call("name")),
    ("/v1/track", "POST", segment_call("event", "messageId")),
)

# --- GA4 -------------------------------------------------------------------------------------------------------------

_GA4_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}")


def ga4_faults(body):
    """Return the validation messages that the debug server would give."""
    faults = [] if is_text(body.get("client_id")) else ["client_id"]
    events = body.get("events") or []
    faults += [] if 1 <= len(events) <= 25 else ["events"]
    faults += [event["name"] for event in events if not _GA4_NAME.fullmatch(event["name"])]
    faults += [name for event in events if len(event["params"]) > 25 for name in ("params",)]
    faults += [key for key, said in body.get("consent", {}).items() if said not in {"GRANTED", "DENIED"}]
    faults += [] if all("session_id" in event["params"] for event in events) else ["session_id"]
    return [{"fieldPath": fault, "validationCode": "VALUE_INVALID", "description": fault} for fault in faults]


def ga4_debug(request, body):
    """Answer as `/debug/mp/collect` does: 200 and the list of what is wrong."""
    return JSONResponse({"validationMessages": ga4_faults(body)})


def ga4_collect(request, body):
    """Answer 204 to whatever is sent, as the real one; but not to what the debug server would refuse."""
    if request.query_params.get("api_secret") != KEY or not request.query_params.get("measurement_id", "").startswith(
        "G-"
    ):
        return no(401, "wrong stream")
    return no(422, "would be dropped") if ga4_faults(body) else Response(status_code=204)


GA4 = app(("/debug/mp/collect", "POST", ga4_debug), ("/mp/collect", "POST", ga4_collect))

# --- Algolia ---------------------------------------------------------------------------------------------------------


def algolia(answer):
    """Wrap an answer: 403 without the application's id and key."""

    def checked(request, body):
        given = request.headers.get("x-algolia-application-id"), request.headers.get("x-algolia-api-key")
        return answer(request, body) if given == ("APP1", KEY) else no(403, "Invalid Application-ID or API key")

    return checked


_TOKEN = re.compile(r"[a-zA-Z0-9_=/+-]{1,129}")


def algolia_query(request, body):
    """Answer a search: the attributes that are given must be of their documented types."""
    kinds = {"query": str, "userToken": str, "clickAnalytics": bool, "enablePersonalization": bool, "analytics": bool,
             "hitsPerPage": int, "aroundLatLng": str, "filters": str}  # fmt: skip
    wrong = [name for name, value in body.items() if name not in kinds or not isinstance(value, kinds[name])]
    if wrong or not _TOKEN.fullmatch(body.get("userToken", "-")):
        return no(400, f"invalid {wrong}")
    if "aroundLatLng" in body and not re.fullmatch(r"-?[\d.]+,-?[\d.]+", body["aroundLatLng"]):
        return no(400, "aroundLatLng")
    answer = {"hits": [{"objectID": f"P{n}"} for n in range(3)], "nbHits": 3, "processingTimeMS": 1}
    answer |= {"queryID": "43b15df305339e827f0ac0bdc5ebcaa7"} if body.get("clickAnalytics") else {}
    return JSONResponse(answer | ({"aroundLatLng": body["aroundLatLng"]} if "aroundLatLng" in body else {}))


def algolia_recommend(request, body):
    """Answer recommendations: one result a request."""
    for one in body["requests"]:
        if one["model"] not in {"related-products", "bought-together", "trending-items", "looking-similar"}:
            return no(400, "model")
        if not is_text(one["indexName"], one["objectID"]) or not 0 <= one["threshold"] <= 100:
            return no(400, "request")
    return JSONResponse({"results": [{"hits": [{"objectID": "P9", "_score": 40.1}]} for _ in body["requests"]]})


def algolia_events(request, body):
    """Take events as Insights does: 422 for one that is not whole."""
    for event in body["events"]:
        objects = event.get("objectIDs")
        if event["eventType"] not in {"view", "click", "conversion"} or not _TOKEN.fullmatch(event["userToken"]):
            return no(422, "event")
        if not is_text(event["eventName"], event["index"]) or not objects or not isinstance(event["timestamp"], int):
            return no(422, "event")
    return JSONResponse({"status": 200, "message": "OK"})


ALGOLIA = app(
    ("/1/indexes/*/recommendations", "POST", algolia(algolia_recommend)),
    ("/1/indexes/{index}/query", "POST", algolia(algolia_query)),
)
ALGOLIA_INSIGHTS = app(("/1/events", "POST", algolia(algolia_events)))

# --- Amazon Personalize ----------------------------------------------------------------------------------------------


def signature_is_right(request, service, secret):
    """Compute AWS Signature Version 4 anew from what arrived, as Amazon describes it, and compare."""
    match = re.fullmatch(
        r"AWS4-HMAC-SHA256 Credential=AKID/(\d{8})/(\S+?)/(\S+?)/aws4_request, ?"
        r"SignedHeaders=(\S+?), ?Signature=(\w{64})",
        request.headers.get("authorization", ""),
    )
    if not match or match[3] != service or "host" not in match[4].split(";"):
        return False
    day, region, _, signed, given = match.groups()
    headers = "".join(f"{name}:{request.headers[name].strip()}\n" for name in signed.split(";"))
    payload = hashlib.sha256(request.state.raw).hexdigest()
    canonical = f"{request.method}\n{request.url.path}\n{request.url.query}\n{headers}\n{signed}\n{payload}"
    scope = f"{day}/{region}/{service}/aws4_request"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    to_sign = f"AWS4-HMAC-SHA256\n{request.headers['x-amz-date']}\n{scope}\n{digest}"
    key = f"AWS4{secret}".encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return hmac.compare_digest(hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest(), given)


def personalize(service, operation, told):
    """Answer one operation; Amazon's own model of it says what a request must be."""
    shape = get_session().get_service_model(service).operation_model(operation).input_shape

    def answer(request, body):
        if not signature_is_right(request, "personalize", KEY):
            return no(403, "InvalidSignatureException")
        for event in body.get("eventList", ()):
            event["sentAt"] = datetime.fromtimestamp(event["sentAt"], UTC) if isinstance(event["sentAt"], int) else "no"
        report = ParamValidator().validate(body, shape)
        unknown = set(body) - set(shape.members)
        if report.has_errors() or unknown:
            return no(400, f"ValidationException {report.generate_report()} {unknown}")
        if body.get("inputList") == []:
            return no(400, "ValidationException inputList")
        return JSONResponse(told) if told else Response()

    return answer


_ITEMS = {"itemList": [{"itemId": "P1", "score": 0.4}, {"itemId": "P2", "score": 0.1}], "recommendationId": "RID-1"}
_RANKED = {"personalizedRanking": [{"itemId": "P2", "score": 0.6}], "recommendationId": "RID-2"}
_ACTIONS = {"actionList": [{"actionId": "join", "score": 0.9}], "recommendationId": "RID-3"}
PERSONALIZE_RUNTIME = app(
    ("/recommendations", "POST", personalize("personalize-runtime", "GetRecommendations", _ITEMS)),
    ("/personalize-ranking", "POST", personalize("personalize-runtime", "GetPersonalizedRanking", _RANKED)),
    ("/action-recommendations", "POST", personalize("personalize-runtime", "GetActionRecommendations", _ACTIONS)),
)
PERSONALIZE_EVENTS = app(("/events", "POST", personalize("personalize-events", "PutEvents", None)))
