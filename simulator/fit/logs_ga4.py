"""GA4's daily export to BigQuery, as JSON Lines or Parquet.

Fields: support.google.com/analytics/answer/7029846. `event_timestamp` counts microseconds since 1970 UTC.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.fit.logs_csv import Raw
from simulator.fit.reading import Fields, files_of, read_columns

if TYPE_CHECKING:
    from pathlib import Path

    from simulator.fit.hits import Findings

FIELDS: Fields = {
    "user": ("user_pseudo_id", "user_id"),
    "time": ("event_timestamp",),
    "action": ("event_name",),
    "path": ("event_params[page_location]", "event_params[firebase_screen]"),
    "session": ("event_params[ga_session_id]",),
    "country": ("geo.country",),
    "os": ("device.operating_system",),
    "model": ("device.mobile_marketing_name", "device.mobile_model_name"),
    "offset_s": ("device.time_zone_offset_seconds",),
    "channel": (
        "session_traffic_source_last_click.cross_channel_campaign.default_channel_group",
        "traffic_source.medium",
    ),
    "analytics": ("privacy_info.analytics_storage",),
    "member": ("user_properties[member]",),
    "category": ("event_params[item_category]",),
}


def read_ga4(path: Path, findings: Findings) -> Raw:
    """Return the rows of an export. Raises `FileFaults`."""
    table = read_columns(files_of(path), FIELDS, findings)
    findings.unknown_columns.clear()
    return Raw(table, "us", 0)
