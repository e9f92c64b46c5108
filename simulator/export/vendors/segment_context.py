"""The `context` of Segment's calls: who sends, from which phone, page and campaign, and what they consented to."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from simulator.export.columns import places
from simulator.export.vendors.columns import named, struct
from simulator.export.vendors.pages import Pages
from simulator.export.vendors.phones import Phone, phones
from simulator.export.vendors.vocabulary import CHANNELS

if TYPE_CHECKING:
    from simulator.export.vendors.feed import Feed

LIBRARY = {"name": "analytics.js", "version": "next-1.82.0"}
CATEGORIES = ("analytics", "personalization", "push")
"""The categories of the shop's consent banner, which are our consents; location is asked for by the browser."""
_BRAND = pa.struct([("brand", pa.string()), ("version", pa.string())])
PHONE = pa.struct(
    [
        ("device", pa.struct([("type", pa.string()), ("manufacturer", pa.string()), ("model", pa.string())])),
        ("os", pa.struct([("name", pa.string()), ("version", pa.string())])),
        ("screen", pa.struct([("width", pa.int32()), ("height", pa.int32()), ("density", pa.float64())])),
        ("userAgent", pa.string()),
        (
            "userAgentData",
            pa.struct(
                [
                    ("brands", pa.list_(_BRAND)),
                    ("mobile", pa.bool_()),
                    ("platform", pa.string()),
                    ("model", pa.string()),
                    ("platformVersion", pa.string()),
                ]
            ),
        ),
    ]
)


def context(feed: Feed) -> pa.StructArray:
    """Return the context of every call."""
    pages = Pages(feed.tracked, feed.open_at)
    shoppers, who = feed.tracked.source.shoppers, pa.array(feed.shopper)
    of = {name: shoppers[name].combine_chunks().take(who) for name in ("language", "timezone", *CATEGORIES)}
    phone = _phones(feed)
    page = {name: getattr(pages, name) for name in ("path", "referrer", "search", "title", "url")}
    columns = {
        "campaign": _campaign(pages),
        "channel": pa.repeat("browser", len(feed.row)),
        "consent": struct({"categoryPreferences": struct({name.capitalize(): of[name] for name in CATEGORIES})}),
        "library": struct({name: pa.repeat(word, len(feed.row)) for name, word in LIBRARY.items()}),
        "locale": of["language"],
        "network": _network(feed),
        "page": struct(page),
        "timezone": of["timezone"],
        **dict(zip([field.name for field in PHONE], phone.flatten(), strict=True)),
    }
    return struct(dict(sorted(columns.items())))


def _phones(feed: Feed) -> pa.StructArray:
    device = places(feed.tracked.source.shoppers["device"], list(phones()))
    return _known_phones().take(pa.array(device[feed.shopper]))


@cache
def _known_phones() -> pa.StructArray:
    return pa.array([_phone(phone) for phone in phones().values()], PHONE)


def _phone(phone: Phone) -> dict[str, object]:
    """Return what the context says of a phone; without client hints there is no `userAgentData`."""
    width, height = phone.device.screen
    hints = {
        "brands": [{"brand": brand, "version": version} for brand, version in phone.brands],
        "mobile": True,
        "platform": phone.system,
        "model": phone.model,
        "platformVersion": phone.platform_version,
    }
    return {
        "device": {"type": phone.device.os, "manufacturer": phone.maker, "model": phone.model},
        "os": {"name": phone.system, "version": phone.system_version},
        "screen": {"width": width, "height": height, "density": phone.device.pixel_ratio},
        "userAgent": phone.device.user_agent,
        "userAgentData": hints if phone.hints else None,
    }


def _network(feed: Feed) -> pa.StructArray:
    """Return the kind of network where the browser has the Network Information API, which is where it has hints."""
    known = list(phones())
    tells = np.array([phone.hints for phone in phones().values()])
    device = places(feed.tracked.source.shoppers["device"], known)[feed.shopper]
    technology = feed.tracked.network[feed.row]
    return struct({"cellular": technology > 0, "wifi": technology == 0}, ~tells[device])


def _campaign(pages: Pages) -> pa.StructArray:
    """Return the campaign words of the landing page's address, null where it has none."""
    tagged = np.array([channel.tagged for channel in CHANNELS.values()])
    has = (pages.channel >= 0) & tagged[pages.channel]
    words = {
        name: named(np.where(has, pages.channel, -1), [getattr(channel, field) for channel in CHANNELS.values()])
        for name, field in (("name", "campaign"), ("source", "source"), ("medium", "medium"))
    }
    return struct(words, ~has)
