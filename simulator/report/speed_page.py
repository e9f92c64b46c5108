"""speed.html: the speed report as one page that needs nothing else."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from simulator import __version__
from simulator.model.behaviour import BANNER
from simulator.report import speed_words as words
from simulator.report.html import RESULTS, STATES, TEMPLATES, environment, style
from simulator.report.speed_drawings import speed_drawings
from simulator.report.speed_plot import FEW
from simulator.report.speed_scoreboard import scoreboard_table
from simulator.report.speed_tables import tables
from simulator.report.speed_visits import legend
from simulator.study.speed_findings import HEADLINE

if TYPE_CHECKING:
    from simulator.study.speed_findings import Judged, SpeedFindings

KINDS = {
    "engaged_time": "time", "wall_time": "time", "ga_time": "time", "waited_time": "time", "pages": "count",
    "bounce": "share", "conversion": "share", "revenue_per_1000": "total", "wait": "time",
}  # fmt: skip
"""What the metrics of a speed report are."""


def speed_html(judged: Judged) -> str:
    """Return the page; the same findings give the same text."""
    return environment().get_template("speed_report.html.j2").render(context(judged)) + "\n"


def context(judged: Judged) -> dict[str, Any]:
    """Return what the template shows."""
    f = judged.findings
    drawn = speed_drawings(f)
    near = next((arm for arm in f.arms.arms if arm.relative and arm.delay_s == _delay(f)), None) if f.arms else None
    return {
        "style": style() + Markup((TEMPLATES / "speed_report.css").read_text(encoding="utf-8")),  # noqa: S704 - ours
        "version": __version__,
        "f": f,
        "v": judged.verdict,
        "state": STATES[judged.verdict.state],
        "results": [(result, RESULTS[result.state]) for result in judged.verdict.results],
        "d": drawn,
        "say": defaultdict(str, words.readings(f)),
        "headline": words.headline(f),
        "sure": words.sure(f),
        "stands_on": words.basis_sentence(f),
        "flips": words.flips(f),
        "banner": BANNER.format(name=f.behaviour) if f.observational else "",
        "near": near,
        "metrics": HEADLINE,
        "names": words.NAMES,
        "told": words.TOLD,
        "kinds": KINDS,
        "tables": {table.name: table for table in tables(f)},
        "keys": legend(f.arms, f.arms.funnel[0].of_all) if f.arms is not None and f.arms.funnel else [],
        "designs": {"paired": "paired", "randomised": "as dealt"},
        "few": FEW,
        "second": _second(f),
        "spend": [
            (page, [one for one in f.savings if one.page == page]) for page in dict.fromkeys(o.page for o in f.savings)
        ],
        "most_saved": max((one.relative["engaged_time"].value or 0.0 for one in f.savings), default=0.0) or 1.0,
        "estimators": scoreboard_table(),
        "limits": words.LIMITS,
        "terms": words.TERMS,
        "whys": WHYS,
        "journeys": list(dict.fromkeys((one.shopper, one.visit, one.who) for one in f.journeys)),
    }


WHYS = {
    "measured": "Timed or counted on a real system, or published.",
    "part measured": "Waiting was measured in part; how shoppers react to it is assumed.",
    "assumed": "Comes from assumptions: behaviour, page model, networks and phones.",
}


def _delay(f: SpeedFindings) -> float:
    return f.conclusions[0].delay_s if f.conclusions else 1.0


def _second(f: SpeedFindings) -> int:
    """Return the place of the delay of one second among those that assumptions were tried at."""
    delays = f.sensitivity[0].delay_s if f.sensitivity else (1.0,)
    return min(range(len(delays)), key=lambda place: abs(delays[place] - 1.0))
