"""GA4's daily BigQuery export, of a web stream with consent mode: one row an event, nested as there.

Where analytics are not allowed the rows are what GA4's cookieless pings leave: no user, no session, every page a first
visit. Pages that were never painted leave nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulator.export.columns import places
from simulator.export.ids import uuids
from simulator.export.products import CURRENCY, product_facts
from simulator.export.reading import nullable
from simulator.export.source import Part
from simulator.export.vendors import ga4_schema as schema
from simulator.export.vendors.contents import LISTS
from simulator.export.vendors.ga4_hits import ACTION, FIRST_VISIT, NAMES, Hits
from simulator.export.vendors.ga4_params import LIST_NAMES, event_params, priced
from simulator.export.vendors.nested import Param, key_values, lists, nothing, struct, taken
from simulator.export.vendors.people import (
    Phones,
    account_ids,
    account_of,
    country_names,
    order_ids,
    plain_text,
    yes_no,
)
from simulator.export.vendors.steps import BUY, flags, steps_of, words_of
from simulator.export.vendors.vocabulary import CHANNELS, HOST, M49, PLACES, WORDS
from simulator.model.states import STATE_INDEX, STATE_NAMES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulator.export.source import Source

STREAM_ID = "1000000001"
"""Of a property that does not exist."""
_CHANNEL = list(CHANNELS.values())


def ga4_table(source: Source) -> pa.Table:
    """Return the export's rows of a shard. Raises `FileFaults` where a column is missing."""
    hits = Hits(steps_of(source, "ga4"))
    made = _when(hits) | _who(hits) | _of_shopper(hits) | _came(hits) | _commerce(hits)
    made["event_params"] = key_values(event_params(hits), schema.PARAMS)
    rows = len(hits.row)
    columns = [made[field.name] if field.name in made else nothing(rows, field.type) for field in schema.SCHEMA]
    return pa.Table.from_arrays(columns, schema=schema.SCHEMA)


def _when(hits: Hits) -> dict[str, Any]:
    day = pc.strftime(pa.array(np.unique(_day(hits)).astype("datetime64[D]")), format="%Y%m%d")
    return {
        "event_date": day.take(pa.array(np.unique(_day(hits), return_inverse=True)[1])),
        "event_timestamp": pa.array(hits.at_us),
        "event_name": pa.array(NAMES).take(pa.array(hits.name)),
        "event_bundle_sequence_id": pa.array(hits.request_of_visit),
        "event_server_timestamp_offset": pa.array(hits.late_us),
        "batch_event_index": pa.array(hits.index),
        "batch_page_id": pa.array(hits.page_of_visit),
        "batch_ordering_id": pa.array(hits.request_of_page),
    }


def _day(hits: Hits) -> NDArray[np.int64]:
    return hits.at_us // 86_400_000_000


def _who(hits: Hits) -> dict[str, Any]:
    sessions, visit, rows = hits.sessions, hits.visit, len(hits.row)
    allowed = sessions.analytics[visit]
    first_s = pa.array(sessions.first_touch_us // 1_000_000)
    client = pc.binary_join_element_wise(
        pc.cast(pa.array(sessions.client), pa.string()), pc.cast(first_s, pa.string()), "."
    )
    consents = {
        "analytics_storage": yes_no(hits.steps.source.shoppers["analytics"]),
        "ads_storage": yes_no(hits.steps.source.shoppers["personalization"]),
    }
    who = sessions.who[visit]
    privacy = {name: words.take(pa.array(who)) for name, words in consents.items()}
    return {
        "user_id": taken(account_ids(hits.steps), account_of(hits.steps, hits.row), hits.logged_in & allowed),
        "user_pseudo_id": taken(client, visit, allowed),
        "user_first_touch_timestamp": nullable(sessions.first_touch_us[visit], allowed),
        "privacy_info": struct(_type("privacy_info"), rows, privacy | {"uses_transient_token": "No"}),
        "user_properties": _properties(hits, allowed),
        "user_ltv": struct(_type("user_ltv"), rows, {"revenue": _revenue(hits), "currency": CURRENCY}, allowed),
        "is_active_user": pa.array(_active(hits, allowed)),
    }


def _type(name: str) -> Any:  # noqa: ANN401 - arrow's types are not typed
    return schema.SCHEMA.field(name).type


def _properties(hits: Hits, allowed: NDArray[np.bool_]) -> pa.Array:
    """Return the user's properties: membership, and the arm where there are several."""
    member = flags(hits.steps.source.shoppers["member"])[hits.sessions.who[hits.visit]]
    arms = pa.array(hits.steps.arms, pa.string())
    params = [
        Param("member", "string", allowed, member.astype(np.int64), pa.array(["no", "yes"])),
        Param("arm", "string", allowed & (len(arms) > 1), hits.steps.arm[hits.row], arms),
    ]
    return key_values(params, schema.PROPERTIES, {"set_timestamp_micros": hits.sessions.begin_us[hits.visit]})


def _revenue(hits: Hits) -> NDArray[np.float64]:
    """Return what the user has spent in this run up to and with each event."""
    steps, contents = hits.steps, hits.contents
    price = product_facts()["price_cents"].to_numpy().astype(np.int64)
    cart = contents.cart
    lines = np.append(0, np.cumsum(price[cart.product] * cart.quantity))
    spent = np.where(steps.bought, lines[cart.first + cart.count] - lines[cart.first], 0)
    user = steps.who * len(steps.arms) + steps.arm
    order = np.argsort(user, kind="stable")
    total = np.cumsum(spent[order])
    starts = np.append(np.ones(min(1, len(order)), np.bool_), user[order][1:] != user[order][:-1])
    begin = np.maximum.accumulate(np.where(starts, np.arange(len(order)), 0))
    revenue = np.empty(len(order))
    revenue[order] = (total - (total - spent[order])[begin]) / 100.0
    before = revenue - spent / 100.0
    return np.where(hits.kind >= ACTION, revenue[hits.row], before[hits.row])


def _active(hits: Hits, allowed: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return whether the user was engaged, or new, on the day of each event."""
    user_day = hits.sessions.user[hits.visit] * np.int64(100_000) + _day(hits)
    days, place = np.unique(user_day, return_inverse=True)
    active = np.zeros(len(days), np.bool_)
    active[place[(hits.engagement_ms > 0) | (hits.kind == FIRST_VISIT)]] = True
    return active[place] & allowed


def _of_shopper(hits: Hits) -> dict[str, Any]:
    """Return the device, the place and the constants of the stream."""
    shoppers, rows = hits.steps.source.shoppers, len(hits.row)
    phones = Phones(shoppers)
    browser, version = phones.browsers()
    web = struct(schema.WEB_INFO, len(shoppers), {"browser": browser, "browser_version": version, "hostname": HOST})
    language = pc.utf8_lower(plain_text(shoppers["language"]))
    told = phones.described() | {"language": language, "is_limited_ad_tracking": "No", "web_info": web}
    device = struct(schema.DEVICE, len(shoppers), told)
    words = words_of(shoppers["country"])
    areas = [[M49[code] for code in PLACES[word]] if word in PLACES else [None, None] for word in words]
    place = places(shoppers["country"], words)
    geo = struct(
        schema.GEO,
        len(shoppers),
        {
            "city": plain_text(shoppers["city"]),
            "country": country_names(shoppers),
            "continent": taken(pa.array([area[0] for area in areas], pa.string()), place),
            "sub_continent": taken(pa.array([area[1] for area in areas], pa.string()), place),
            "metro": "(not set)",
        },
    )
    who = pa.array(hits.sessions.who[hits.visit])
    return {
        "device": device.take(who),
        "geo": geo.take(who),
        "stream_id": pa.repeat(STREAM_ID, rows),
        "platform": pa.repeat("WEB", rows),
        "event_dimensions": struct(_type("event_dimensions"), rows, {"hostname": HOST}),
    }


def _came(hits: Hits) -> dict[str, Any]:
    """Return where the user, the session and the landing page's events came from."""
    sessions, visit = hits.sessions, hits.visit
    user = _of_channel(schema.TRAFFIC, {"name": "campaign", "medium": "medium", "source": "source"})
    manual = {"campaign_name": "campaign", "source": "source", "medium": "medium"}
    cross = manual | {"default_channel_group": "group", "primary_channel_group": "group"}
    last = pa.StructArray.from_arrays(
        [
            _of_channel(schema.MANUAL, manual),
            nothing(len(_CHANNEL), schema.GOOGLE_ADS),
            _of_channel(schema.CROSS_CHANNEL, cross),
        ],
        fields=list(schema.LAST_CLICK),
    )
    allowed = sessions.analytics[visit]
    return {
        "traffic_source": taken(user, sessions.acquired[visit], allowed),
        "collected_traffic_source": _collected(hits),
        "session_traffic_source_last_click": taken(last, sessions.last_click[visit], allowed),
    }


def _of_channel(kind: pa.StructType, fields: dict[str, str]) -> pa.Array:
    given = {name: pa.array([getattr(channel, of) for channel in _CHANNEL]) for name, of in fields.items()}
    return struct(kind, len(_CHANNEL), given)


def _collected(hits: Hits) -> pa.Array:
    """Return the campaign words and click ids in the address, or told by the referrer, of landing pages."""
    steps, channel = hits.steps, hits.sessions.channel[hits.visit]
    landed = steps.first[steps.page[hits.row]] & (channel != list(CHANNELS).index("direct"))
    paid = landed & (channel == list(CHANNELS).index("paid_search")) & hits.sessions.analytics[hits.visit]
    row = steps.starts[hits.visit[paid]]
    click = np.full(len(paid), -1)
    click[paid] = np.arange(len(row))
    given: dict[str, Any] = {
        name: taken(pa.array([getattr(c, of) for c in _CHANNEL]), channel)
        for name, of in (("manual_campaign_name", "campaign"), ("manual_source", "source"), ("manual_medium", "medium"))
    }
    given["gclid"] = taken(uuids(steps.source.seed, "gclid", steps.shopper[row], steps.visit[row]), click)
    return struct(schema.COLLECTED, len(paid), given, landed)


def _commerce(hits: Hits) -> dict[str, Any]:
    items, facts, (event, line) = hits.items, product_facts(), hits.of_items
    product, quantity = pa.array(items.product[line]), items.quantity[line]
    cents = facts["price_cents"].to_numpy().astype(np.int64)[items.product[line]]
    pieces = np.append(0, np.cumsum(quantity))
    end = np.cumsum(items.count)
    bought = (hits.kind == ACTION) & (hits.state == BUY)
    listed = np.isin(hits.state, LISTS)[event]
    listing = np.where(listed, np.searchsorted(LISTS, hits.state[event]), -1)
    offered = listed & (hits.state[event] == STATE_INDEX["offers"])
    price, revenue = cents / 100.0, nullable(cents * quantity / 100.0, bought[event])
    given: dict[str, Any] = {
        name: facts[of].combine_chunks().take(product)
        for name, of in (
            ("item_id", "sku"),
            ("item_name", "name"),
            ("item_brand", "brand"),
            ("item_category", "category"),
        )
    }
    given |= {"price": price, "price_in_usd": price, "quantity": quantity}
    given |= {"item_revenue": revenue, "item_revenue_in_usd": revenue}
    given |= {
        "item_list_id": taken(pa.array([STATE_NAMES[state] for state in LISTS]), listing),
        "item_list_name": taken(pa.array(LIST_NAMES), listing),
        "item_list_index": taken(pa.array([str(place) for place in range(200)]), items.place[line], listed),
        "promotion_id": taken(pa.array(["offers"]), np.where(offered, 0, -1)),
        "promotion_name": taken(pa.array([WORDS["offers"].title]), np.where(offered, 0, -1)),
        "item_params": lists(np.zeros(len(line), np.int64), pa.array([], schema.PARAMS.value_type), schema.PARAMS),
    }
    spent = nullable(hits.value, bought)
    sums = {
        "total_item_quantity": pieces[end] - pieces[end - items.count],
        "unique_items": items.count,
        "purchase_revenue": spent,
        "purchase_revenue_in_usd": spent,
        "transaction_id": _orders(hits, bought),
    }
    return {
        "items": lists(items.count, struct(schema.ITEM, len(line), given), schema.ITEMS),
        "ecommerce": struct(schema.ECOMMERCE, len(items.count), sums, items.count > 0),
        "event_value_in_usd": nullable(hits.value, priced(hits)),
    }


def _orders(hits: Hits, bought: NDArray[np.bool_]) -> pa.Array:
    place = np.full(len(bought), -1)
    place[bought] = np.arange(bought.sum())
    return taken(order_ids(hits.steps, hits.row[bought]), place)


def _make(source: Source) -> dict[str, pa.Table]:
    return {"ga4": ga4_table(source)}


PART = Part("ga4", "GA4's daily BigQuery export of a web stream with consent mode.", _make, ("parquet", "jsonl"))
