"""Locust's own web UI with a Footfall tab: session length, bounce, load time by network, start lag, as they stand now.

The tab is Locust's documented extension (its `examples/extend_web_ui.py`): tabs and tables in the page's arguments,
rows in the answer that the page polls. Lengths and bounce are those of visits that are over: early in a run they are
short.
"""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

from simulator.model.schema import TECHNOLOGIES

if TYPE_CHECKING:
    from flask import Response
    from locust.web import WebUI

    from simulator.worlds.live.views.spread import Spread
    from simulator.worlds.live.views.tally import Tally

KEY = "footfall"
COLUMNS = {
    "network": "Network",
    "length": "Session p50",
    "bounce": "Bounce",
    "load": "Load p50",
    "load_p95": "Load p95",
    "lag": "Start lag p99",
    "length_p90": "Session p90",
    "engaged": "Engaged p50",
    "given_up": "Pages given up",
    "ended": "Visits ended",
    "open": "Open",
}
"""What stands over each column; on a phone the first five are seen without scrolling."""
ALL = "all networks"
NOTHING = "–"
CSV = "/footfall/csv"
PLANNED = "The scenario's plan says who comes and when; start another run from the command line."


def rows(tally: Tally) -> list[dict[str, str]]:
    """Return the table: all networks, then each that a shopper was on."""
    seen = {key[-1] for name in ("pages", "given_up") for key in tally.counts[name]}
    return [_row(tally, None), *(_row(tally, network) for network in sorted(seen))]


def _row(tally: Tally, network: int | None) -> dict[str, str]:
    key = () if network is None else (network,)
    ended, bounced = tally.count("ended", *key), tally.count("bounced", *key)
    pages = _pages(tally, "pages", network)
    given_up = _pages(tally, "given_up", network)
    wall, load = tally.spread("wall", network), tally.spread("load", network)
    whole = network is None
    return {
        "network": ALL if network is None else _name(network),
        "length": _time(wall, 0.5),
        "bounce": _share(bounced, ended),
        "load": _time(load, 0.5),
        "load_p95": _time(load, 0.95),
        "lag": _time(tally.spread("lag"), 0.99) if whole else NOTHING,
        "length_p90": _time(wall, 0.9),
        "engaged": _time(tally.spread("engaged", network), 0.5),
        "given_up": _share(given_up, pages + given_up),
        "ended": f"{ended:,}",
        "open": f"{tally.open:,}" if whole else NOTHING,
    }


def _pages(tally: Tally, name: str, network: int | None) -> int:
    return sum(count for key, count in tally.counts[name].items() if network is None or key[-1] == network)


def _name(network: int) -> str:
    return TECHNOLOGIES[network] if 0 <= network < len(TECHNOLOGIES) else "no network"


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else NOTHING


def _time(spread: Spread, share: float) -> str:
    """Return a quantile with its unit: milliseconds below one second, minutes from two on."""
    value_s = spread.quantile_s(share)
    if value_s is None:
        return NOTHING
    if value_s < 1:
        return f"{value_s * 1e3:.0f} ms" if value_s >= 0.01 or not value_s else f"{value_s * 1e3:.1f} ms"
    return f"{value_s:.1f} s" if value_s < 120 else f"{value_s / 60:.1f} min"


def csv_text(tally: Tally) -> str:
    """Return the table as CSV."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS)
    writer.writeheader()
    writer.writerows(rows(tally))
    return out.getvalue()


def add_tab(web_ui: WebUI, tally: Tally, *, planned: bool) -> None:
    """Add the tab to Locust's page. With `planned` nobody can start users beside the plan's from there."""
    from flask import Response, jsonify, request  # noqa: PLC0415 - Locust has brought it by now

    assert web_ui.app is not None
    columns = [{"key": key, "title": title} for key, title in COLUMNS.items()]
    web_ui.template_args |= {
        "extended_tabs": [{"title": "Footfall", "key": KEY}],
        "extended_tables": [{"key": KEY, "structure": columns}],
        "extended_csv_files": [{"href": f".{CSV}", "title": "Download Footfall CSV"}],
    }

    @web_ui.app.after_request
    def with_rows(response: Response) -> Response:
        if request.path.endswith("/stats/requests") and response.is_json:
            told: dict[str, Any] = {
                **json.loads(response.get_data()),
                "extended_stats": [{"key": KEY, "data": rows(tally)}],
            }
            response.set_data(json.dumps(told))
        return response

    @web_ui.app.before_request
    def refuse_users() -> Response | None:
        if planned and request.path.endswith("/swarm"):
            refused: Response = jsonify({"success": False, "message": PLANNED})
            return refused
        return None

    @web_ui.app.route(CSV)
    @web_ui.auth_required_if_enabled  # type: ignore[untyped-decorator] # Locust's own
    def footfall_csv() -> Response:
        named = {"Content-Disposition": "attachment;filename=footfall.csv"}
        return Response(csv_text(tally), mimetype="text/csv", headers=named)
