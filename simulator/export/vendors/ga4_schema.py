"""The columns of GA4's daily export to BigQuery as arrow types; every field is nullable there, lists are never null."""

from __future__ import annotations

import pyarrow as pa

from simulator.export.vendors.nested import KINDS

_S, _I, _F = pa.string(), pa.int64(), pa.float64()


def _record(strings: str = "", **others: pa.DataType) -> pa.StructType:
    return pa.struct([*((name, _S) for name in strings.split()), *others.items()])


_VALUE = [(f"{kind}_value", type_) for kind, type_ in KINDS.items()]
PARAMS = pa.list_(pa.struct([("key", _S), ("value", pa.struct(_VALUE))]))
PROPERTIES = pa.list_(pa.struct([("key", _S), ("value", pa.struct([*_VALUE, ("set_timestamp_micros", _I)]))]))
WEB_INFO = _record("browser browser_version hostname")
DEVICE = pa.struct(
    [
        *_record(
            "category mobile_brand_name mobile_model_name mobile_marketing_name mobile_os_hardware_model "
            "operating_system operating_system_version vendor_id advertising_id language is_limited_ad_tracking"
        ),
        ("time_zone_offset_seconds", _I),
        *_record("browser browser_version", web_info=WEB_INFO),
    ]
)
GEO = _record("city country continent region sub_continent metro")
APP_INFO = _record("id version install_store firebase_app_id install_source")
TRAFFIC = _record("name medium source")
COLLECTED = _record(
    "manual_campaign_id manual_campaign_name manual_source manual_medium manual_term manual_content "
    "manual_source_platform manual_creative_format manual_marketing_tactic gclid dclid srsltid"
)
MANUAL = _record(
    "campaign_id campaign_name source medium term content source_platform creative_format marketing_tactic"
)
GOOGLE_ADS = _record("customer_id account_name campaign_id campaign_name ad_group_id ad_group_name")
CROSS_CHANNEL = _record(
    "campaign_id campaign_name source medium source_platform default_channel_group primary_channel_group"
)
LAST_CLICK = pa.struct(
    [("manual_campaign", MANUAL), ("google_ads_campaign", GOOGLE_ADS), ("cross_channel_campaign", CROSS_CHANNEL)]
)
"""Without the records of Search Ads 360, Campaign Manager 360 and Display & Video 360, which no shopper comes from."""
ECOMMERCE = _record(
    total_item_quantity=_I,
    purchase_revenue_in_usd=_F,
    purchase_revenue=_F,
    refund_value_in_usd=_F,
    refund_value=_F,
    shipping_value_in_usd=_F,
    shipping_value=_F,
    tax_value_in_usd=_F,
    tax_value=_F,
    unique_items=_I,
    transaction_id=_S,
)
ITEM = pa.struct(
    [
        *_record(
            "item_id item_name item_brand item_variant item_category item_category2 item_category3 item_category4 "
            "item_category5"
        ),
        *_record(price_in_usd=_F, price=_F, quantity=_I, item_revenue_in_usd=_F, item_revenue=_F),
        *_record(item_refund_in_usd=_F, item_refund=_F),
        *_record(
            "coupon affiliation location_id item_list_id item_list_name item_list_index promotion_id promotion_name "
            "creative_name creative_slot",
            item_params=PARAMS,
        ),
    ]
)
ITEMS = pa.list_(ITEM)

MEANINGS: dict[str, tuple[pa.DataType, str]] = {
    "event_date": (_S, "YYYYMMDD of event_timestamp; the property reports in UTC"),
    "event_timestamp": (_I, "when the page's tag sent it, µs since 1970 by the device's clock"),
    "event_name": (_S, "GA4's name"),
    "event_params": (PARAMS, "parameters; of the typed values one is set"),
    "event_previous_timestamp": (_I, "null, as for web streams"),
    "event_value_in_usd": (_F, "value of the items"),
    "event_bundle_sequence_id": (_I, "number of the request within the visit"),
    "event_server_timestamp_offset": (_I, "µs from the device's clock to arrival"),
    "user_id": (_S, "who has logged in: the number of the shopper is its last part; null without consent"),
    "user_pseudo_id": (_S, "the browser's client id; null without consent"),
    "privacy_info": (_record("analytics_storage ads_storage uses_transient_token"), "consent: Yes or No"),
    "user_properties": (PROPERTIES, "membership, and the arm where there are several"),
    "user_first_touch_timestamp": (_I, "first visit, µs since 1970; null without consent"),
    "user_ltv": (pa.struct([("revenue", _F), ("currency", _S)]), "orders of this run up to the event"),
    "device": (DEVICE, "the phone, as far as its browser tells"),
    "geo": (GEO, "home city; region and metro are not known"),
    "app_info": (APP_INFO, "null: a web stream"),
    "traffic_source": (TRAFFIC, "how the user came for the first time; null without consent"),
    "stream_id": (_S, "the data stream"),
    "platform": (_S, "WEB"),
    "event_dimensions": (pa.struct([("hostname", _S)]), "host of the page"),
    "ecommerce": (ECOMMERCE, "sums over the items; null without items"),
    "items": (ITEMS, "products of the event, at most 200"),
    "collected_traffic_source": (COLLECTED, "campaign words of the landing page; null on other pages"),
    "is_active_user": (pa.bool_(), "engaged at any time of that day"),
    "batch_event_index": (_I, "order within the request, from 1"),
    "batch_page_id": (_I, "order of the page within the visit, from 1"),
    "batch_ordering_id": (_I, "order of the request within the page, from 1"),
    "session_traffic_source_last_click": (LAST_CLICK, "last campaign before the session that was not direct"),
}
"""Column → its type and what it holds here."""

SCHEMA = pa.schema(
    [pa.field(name, type_, metadata={"meaning": meaning}) for name, (type_, meaning) in MEANINGS.items()],
    metadata={"null": "absent"},
)
"""As BigQuery's own JSON, the text of a row may leave out what is null."""
