"""Guessing: which operation a request is, which field a name stands for, and what the members of an answer show."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from simulator.target.imports.seen import Seen, tokens

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from simulator.target.fields import Json

READS, WRITES, ANY = frozenset({"GET"}), frozenset({"POST", "PUT", "PATCH"}), frozenset({"GET", "POST", "PUT", "PATCH"})
LAST, EARLIER, SPOKEN = 3.0, 1.0, 1.0
"""Weight of a word in the last part of the path, in earlier parts, and in what people call the request."""
ENOUGH = 2.0
"""Weight below which nothing is guessed (a word in the last part of the path, or two elsewhere)."""
DEEPEST, MOST_LEAVES = 8, 2_000


class Rule(NamedTuple):
    """Words that speak for an operation, with which methods; `against` are words that speak for another one."""

    operation: str
    methods: frozenset[str]
    words: str
    against: str = ""


RULES = (
    Rule("session", WRITES, "session visitor guest anonymous", "checkout identify login"),
    Rule("identify", WRITES, "identify alias register signup customer account user identity", "event login consent"),
    Rule("home", READS, "home homepage landing frontpage start"),
    Rule("search", ANY, "search query find lookup", "suggest autocomplete complete predictive"),
    Rule("suggest", ANY, "suggest suggestion autocomplete typeahead completion complete predictive"),
    Rule("category", READS, "category collection department catalog listing"),
    Rule("product", READS, "product item sku article variant good", "cart order recommend related review"),
    Rule("recommend", ANY, "recommend recommendation related similar upsell crosssell cross predict personalized"),
    Rule("rank", WRITES, "rank rerank ranking"),
    Rule("next_action", ANY, "action nba next"),
    Rule("offers", ANY, "offer promotion deal coupon qualification campaign voucher", "redeem redemption"),
    Rule("geofence", WRITES, "geofence position fence geolocation"),
    Rule("store_near", READS, "store location branch nearby pickup shop near"),
    Rule("price", ANY, "price pricing quote"),
    Rule("decide", ANY, "flag experiment toggle decide decision assignment variation feature evaluate", "metric"),
    Rule("exposure", WRITES, "exposure impression metric"),
    Rule("track", WRITES, "track event collect beacon telemetry analytics activity"),
    Rule("push_register", WRITES, "push device subscription endpoint registration", "send receipt"),
    Rule("push_send", WRITES, "notification message send"),
    Rule("push_receipt", WRITES, "receipt delivered opened delivery"),
    Rule("consent_set", WRITES, "consent optin optout preference permission privacy opt"),
    Rule("login", WRITES, "login signin authenticate auth token", "logout webauthn passkey register anonymous"),
    Rule("auth_begin", ANY, "webauthn passkey begin challenge assertion option", "finish verify complete"),
    Rule("auth_finish", WRITES, "webauthn passkey finish verify assertion", "begin option challenge"),
    Rule("loyalty_balance", READS, "loyalty point reward balance"),
    Rule("loyalty_earn", WRITES, "loyalty earn point accrue", "redeem redemption"),
    Rule("loyalty_redeem", WRITES, "redeem redemption reward"),
    Rule("content", READS, "content article blog post plan story page cms", "home"),
    Rule("ar_asset", READS, "ar glb usdz model asset"),
    Rule("support", ANY, "support ticket help faq contact chat"),
    Rule("cart", READS, "cart basket bag"),
    Rule("add_to_cart", WRITES, "cart basket bag add line item", "remove checkout complete order"),
    Rule("remove_from_cart", frozenset({"DELETE", "POST"}), "cart basket bag remove line item", "add"),
    Rule("checkout", WRITES, "checkout", "payment order complete"),
    Rule("payment", WRITES, "payment pay charge", "order"),
    Rule("purchase", WRITES, "order purchase complete placeorder", "search list query cancel"),
    Rule("share", WRITES, "share referral invite"),
)  # fmt: skip
_PARAMETER = re.compile(r"\{([^{}]*)\}")
CATEGORY_WORDS = {"category", "collection", "department"}
"""What stands in a path before the name of a category."""
_QUERIES = {"q", "query", "search", "term", "keyword", "s", "text"}


def scores(seen: Seen) -> dict[str, float]:
    """Return how much speaks for each operation, where it is enough."""
    parts = [part for part in seen.path.split("/") if part]
    named = [part for part in parts if not _PARAMETER.fullmatch(part)]
    last = set(tokens(named[-1])) if named else set()
    earlier = {word for part in named[:-1] for word in tokens(part)}
    spoken = set(tokens(seen.words))
    if seen.graphql is not None:
        # All its requests have one path; what tells them apart is their name.
        last, spoken = spoken, set()
    found = {}
    for rule in RULES:
        if seen.method not in rule.methods:
            continue
        words, against = set(rule.words.split()), set(rule.against.split())
        weight = LAST * bool(last & words) + EARLIER * len(earlier & words) + SPOKEN * min(2, len(spoken & words))
        weight -= LAST * bool(last & against) + EARLIER * len((earlier | spoken) & against)
        weight += _of_shape(rule.operation, seen, parts, last)
        if weight >= ENOUGH:
            found[rule.operation] = weight
    return found


def _of_shape(operation: str, seen: Seen, parts: list[str], last: set[str]) -> float:
    """Return what the shape of a request speaks for: a product has its id at the end, a search has words to find."""
    ends_in_id = bool(parts) and bool(_PARAMETER.fullmatch(parts[-1]))
    asks = bool({name.lower() for name in seen.query} & _QUERIES)
    things = bool(last & {"product", "item", "article"})
    if operation == "product":
        return 1.0 if ends_in_id else -2.0
    if operation == "search":
        return (LAST if asks and things and not ends_in_id else 0.5 * asks) - ends_in_id
    if operation == "category":
        if len(parts) > 1 and set(tokens(parts[-2])) & CATEGORY_WORDS:
            return LAST
        return LAST + 0.5 if things and not ends_in_id and not asks and seen.method == "GET" else 0.5 * ends_in_id
    if operation == "home":
        return LAST + 1 if not parts and seen.method == "GET" else 0.0
    return _of_cart(operation, seen, last, ends_in_id=ends_in_id)


def _of_cart(operation: str, seen: Seen, last: set[str], *, ends_in_id: bool) -> float:
    """Return what speaks for the requests round a cart, which differ in little but the method.

    A cart that must be made before anything is put into it is made where a visit begins.
    """
    said = last | set(tokens(seen.words))
    puts = bool(said & {"item", "line", "add"})
    if operation == "add_to_cart":
        return 0.5 if puts else -ENOUGH
    if operation == "remove_from_cart":
        return 0.5 if seen.method == "DELETE" or said & {"remove", "delete"} else -2 * LAST
    if operation == "session" and last & {"cart", "basket", "bag"}:
        return 0.0 if puts or ends_in_id else ENOUGH
    return 0.0


FIELD_NAMES: tuple[tuple[str, str], ...] = (
    ("q query search search_query term keyword search_term text", "{page.query}"),
    ("category category_id category_slug collection department category_handle page_category", "{page.category}"),
    ("email email_address mail login_id", "{shopper.email}"),
    ("username user_name login", "{shopper.email}"),
    ("password passwd", "{shopper.password}"),
    ("first_name given_name firstname", "{shopper.first_name}"),
    ("last_name family_name lastname surname", "{shopper.last_name}"),
    ("full_name name_on_card cardholder", "{shopper.name}"),
    ("phone phone_number telephone mobile", "{shopper.phone}"),
    ("street address_1 address1 address_line_1 line1", "{shopper.street}"),
    ("postcode postal_code zip zip_code", "{shopper.postcode}"),
    ("city town", "{shopper.city}"),
    ("country country_code region_code", "{shopper.country}"),
    ("language locale lang language_code", "{shopper.language}"),
    ("currency currency_code", "{shopper.currency}"),
    ("timezone time_zone tz", "{shopper.time_zone}"),
    ("lat latitude", "{place.lat}"),
    ("lon lng long longitude", "{place.lon}"),
    ("user_id userid customer_id visitor_id visitor anonymous_id client_id device_id user_token external_id uid",
     "{shopper.id}"),
    ("session_id sessionid visit_id", "{visit.id}"),
    ("event event_type event_name eventtype", "{event.name}"),
    ("timestamp event_time sent_at occurred_at", "{event.at}"),
    ("sku product_id item_id product variant_id handle product_sku object_id item", "{extracted.sku}"),
    ("cart_id basket_id cart", "{extracted.cart}"),
    ("order_id order", "{extracted.order}"),
)  # fmt: skip
_FIELD = {name: field for names, field in FIELD_NAMES for name in names.split()}


def field_for(name: str) -> str:
    """Return the template that a parameter's or member's name stands for, or nothing."""
    spoken = "_".join(re.findall(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+", name)).lower()
    return _FIELD.get(spoken, "")


EVIDENCE_NAMES: dict[str, str] = {
    "categories": "category category_id category_slug product_type",
    "price": "price amount unit_price sale_price calculated_amount",
    "currency": "currency currency_code",
    "in_stock": "in_stock available available_for_sale is_available",
    "total": "total grand_total total_price",
    "subject": "user_id customer_id visitor_id subject customer anonymous_id identifier account_id",
    "segments": "segment segments audience cohorts",
    "variant": "variant variation arm bucket experiment_variant ab_test_variant_id",
    "token": "attribution_token recommendation_id query_id tracking_token correlation_id attribution",
    "fallback": "fallback is_fallback is_default",
    "generated_at": "generated_at created_at as_of updated_at date_updated",
    "geo_used": "geo_used location_used around_lat_lng",
    "language": "language locale lang",
    "stored": "accepted stored events_received",
}
_IDS = ("sku", "product_id", "item_id", "object_id", "id", "handle", "slug", "key")
_TOKENS = ("access_token", "token", "session_token", "session", "id_token", "jwt", "session_id")
_OWNERS = {"cart": "cart", "add_to_cart": "cart", "session": "cart", "checkout": "checkout", "purchase": "order"}


class Leaf(NamedTuple):
    """A value in a sample: its JSONPath with `[*]` for lists, its name in snake case, the value, how deep it is."""

    path: str
    name: str
    value: Json
    depth: int
    in_list: bool


def leaves(sample: Json) -> list[Leaf]:
    """Return the leaves of a sample, outer ones first; of a list the first element stands for all."""
    found = list(_walk(sample, "$", "", 0, in_list=False))[:MOST_LEAVES]
    return sorted(found, key=lambda leaf: (leaf.depth, len(leaf.path)))


def _walk(node: Json, path: str, name: str, depth: int, *, in_list: bool) -> Iterator[Leaf]:
    if depth > DEEPEST:
        return
    if isinstance(node, dict):
        for key, value in node.items():
            yield from _walk(value, f"{path}{member(key)}", str(key), depth + 1, in_list=in_list)
    elif isinstance(node, list):
        if node:
            yield from _walk(node[0], f"{path}[*]", name, depth + (not in_list), in_list=True)
    else:
        spoken = "_".join(re.findall(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+", name)).lower()
        yield Leaf(path, spoken, node, depth, in_list)


def member(key: str) -> str:
    """Return a member's name as a step of a JSONPath."""
    if re.fullmatch(r"[A-Za-z_]\w*", key, re.ASCII):
        return f".{key}"
    escaped = key.replace("\\", "\\\\").replace("'", "\\'")
    return f"['{escaped}']"


def evidence_in(sample: Json) -> dict[str, str]:
    """Return the places of evidence in a sample answer, by the names of its members. What is guessed may be missing."""
    all_leaves = leaves(sample)
    found: dict[str, str] = {}
    ids = _item_ids(all_leaves)
    if ids:
        found["items"] = ids
    record = ids.rpartition(".")[0] if ids else ""
    for piece, names in EVIDENCE_NAMES.items():
        known = names.split()
        matching = [leaf for leaf in all_leaves if leaf.name in known]
        beside = [leaf for leaf in matching if record and leaf.path.startswith(f"{record}.")]
        chosen = beside[:1] if piece in {"categories", "price", "in_stock"} and beside else matching[:1]
        if chosen and not (piece == "variant" and chosen[0].in_list):
            found[piece] = f"{chosen[0].path}?"
    return found


def _item_ids(all_leaves: Iterable[Leaf]) -> str:
    """Return the path of the ids of the outermost list of records, or nothing."""
    listed = [leaf for leaf in all_leaves if leaf.in_list and leaf.name in _IDS and leaf.path.count("[*]") == 1]
    listed.sort(key=lambda leaf: (leaf.depth, _IDS.index(leaf.name)))
    return listed[0].path if listed else ""


def extracts_in(operation: str, sample: Json) -> dict[str, str]:
    """Return what later requests are likely to need of an answer: ids of products, tokens, the cart's id."""
    all_leaves = leaves(sample)
    found: dict[str, str] = {}
    if operation in {"home", "search", "category", "recommend", "product", "rank"}:
        ids = _item_ids(all_leaves)
        if ids:
            found["sku"] = f"{ids}?"
        if operation == "product":
            own = sorted((leaf for leaf in all_leaves if leaf.name in _IDS and not leaf.in_list),
                         key=lambda leaf: (leaf.depth, _IDS.index(leaf.name)))  # fmt: skip
            found |= {"viewed": f"{own[0].path}?"} if own else {}
    if operation in {"session", "login", "identify", "auth_finish"}:
        token = [leaf for name in _TOKENS for leaf in all_leaves if leaf.name == name and isinstance(leaf.value, str)]
        found |= {"session": f"{token[0].path}?"} if token else {}
    if operation in _OWNERS:
        name = _OWNERS[operation]
        own = [leaf for leaf in all_leaves if not leaf.in_list and leaf.name in {"id", f"{name}_id", name, "token"}]
        named = [leaf for leaf in own if leaf.name == f"{name}_id" or f".{name}." in leaf.path]
        chosen = named or ([] if operation == "session" else own)
        found |= {name: f"{chosen[0].path}?"} if chosen else {}
    return found
