"""What a speed report says in words: the one-line answer, a reading under each picture, definitions and limits.

The words keep to rules: a simulated effect is an assumption played out and is called so; what was seen is not called an
effect; published figures stand with their conditions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.analysis.words import NONE, THIN, counted, difference, figure, interval, listed, number, seconds
from simulator.report.glossary import METRIC_NAMES
from simulator.study.speed_published import DEALT
from simulator.study.speed_vitals import CRUX_SITES, GOOD_LCP_S, POOR_LCP_S

if TYPE_CHECKING:
    from simulator.analysis.estimates import Estimate
    from simulator.study.speed_findings import Conclusion, Overlay, SpeedFindings

NB = "\u00a0"
NAMES = METRIC_NAMES | {"revenue_per_1000": "Revenue per 1,000 visits", "waited_time": "Waiting"}
TOLD = {
    "engaged_time": "engaged time", "wall_time": "wall time", "ga_time": "GA-compatible time", "pages": "pages a visit",
    "bounce": "bounces", "conversion": "conversions", "revenue_per_1000": "revenue",
}  # fmt: skip
DOUBLECLICK = (
    f"DoubleClick (2016) found average sessions 70{THIN}% longer between sites that load in 5{THIN}s and sites that "
    f"load in 19{THIN}s; the preset doubleclick-2016 reproduces it as h = 0.03/s. It compared sites, not delays: "
    "it is a benchmark, no result of this report."
)
LIMITS = (
    (
        "Simulated shoppers are not evidence about real ones: how they react to waiting is assumed, and every effect "
        "here is that assumption played out on a mix of people, phones, networks and pages."
    ),
    (
        "What a run really measured (marked measured) is waiting: latency, server time, parts of load times. An effect "
        "on session length becomes evidence only with real visitors, dealt to delays at random."
    ),
    "A chart by load time is an observation. Slow pages meet other people, phones and networks; only arms tell cause.",
    (
        "A visit's average load time mixes cause and effect: later pages are warm, so long visits look fast. That "
        "chart is shown to be compared with dashboards, and stamped."
    ),
    "Wall time counts waiting: a slow shop makes it longer by itself. Engaged time and pages do not.",
    (
        "A page that opens a connection anew in the middle of a visit pays for it in elementRenderDelay here: the "
        "tables do not tell such pages from others."
    ),
    "INP and layout shifts are not modelled; first paint and first byte are shares of pages, not of visits.",
    DOUBLECLICK,
)
TERMS = (
    ("h", "Rate at which the base shopper leaves a page that loads, a second of waiting. Each persona has its own."),
    ("Engaged time", "Seconds looking at pages, waiting excluded."),
    ("Wall time", "Seconds from the first tap to leaving, waiting included."),
    (
        "GA-compatible time",
        "First hit to last hit: a visit of one page counts 0, the time on the last page is missing.",
    ),
    ("Pages", "Pages asked for. What mPulse calls session length."),
    (
        "LCP",
        "Here the load time: from the tap until the page is usable. Its parts carry the web-vitals library's names.",
    ),
    ("Paired", "The same shoppers, draws and networks in every arm: each visit is its own control."),
    ("As dealt", "Arms compared by what shoppers were assigned, whatever became of the delay (intention to treat)."),
    ("Restricted mean", "Mean length up to a fixed end, so that a few endless visits cannot decide."),
    ("Shrunk", "A small group's effect drawn towards the mean of its factor, the further the less it can say alone."),
    ("Apdex", "Satisfied within 2.5 s, tolerating within 10 s; a convention for old dashboards."),
)


def change(value: float | None) -> str:
    """Return a change in percent without its sign, as `7.5 %`."""
    return NONE if value is None else f"{number(100 * abs(value), 1)}{THIN}%"


def headline(f: SpeedFindings) -> tuple[str, str, str]:
    """Return the one-line answer as what stands before, within and after its emphasis."""
    main = _main(f)
    if main is None:
        return "What waiting did here", "", ""
    cause = "One more second on every page" if main.delay_s == 1 else f"{seconds(main.delay_s)} more on every page"
    metric = TOLD[main.metric]
    if main.says == "no change shown":
        return f"{cause}: ", "no change", f" in {metric} is shown"
    verb = "costs" if main.says == "falls" else "adds"
    return f"{cause} {verb} ", change(main.relative.value), f" of {metric}"


def _main(f: SpeedFindings) -> Conclusion | None:
    return next((one for one in f.conclusions if one.metric == "engaged_time"), None)


def basis_sentence(f: SpeedFindings) -> str:
    """Return what the answer stands on."""
    assumed = f"How shoppers react to waiting is assumed (behaviour preset {f.behaviour})"
    if not f.measured_share:
        return f"{assumed}, and so are load times (the page model): the answer is these assumptions, played out."
    return f"{assumed}; {figure(f.measured_share, 'share')} of the load time they felt was measured."


def sure(f: SpeedFindings) -> str:
    """Return how sure the answer is: interval, size and design."""
    main = _main(f)
    if main is None or f.arms is None:
        return "Without arms there is no cause to be told, only what was seen."
    span = interval(main.relative.low, main.relative.high, "change")
    how = {"paired": "the same visits in every arm", "randomised": "shoppers dealt to arms at random, as dealt"}
    design = how.get(f.arms.design, "")
    return f"95{THIN}% interval {span or 'not known'}, n{NB}={NB}{main.relative.n:,} visits; {design}."


SAYS = {"falls": "down", "rises": "up", "no change shown": "no change shown"}


def flips(f: SpeedFindings) -> list[str]:
    """Return a sentence for each conclusion that another assumption would turn over, and one where none would."""
    told = []
    for one in f.conclusions:
        if one.flips:
            groups = {says: [f"{t.hazard_per_s:g}" for t in one.flips if t.says == says] for says in SAYS}
            turns = [f"{SAYS[says]} at h = {listed(at)}" for says, at in groups.items() if at]
            told.append(f"{NAMES[one.metric]}: {SAYS[one.says]}, but {', '.join(turns)}.")
    if f.conclusions and not told:
        told.append("No conclusion turns over at h = 0, 0.01, 0.025 or 0.05 per second.")
    return told


def readings(f: SpeedFindings) -> dict[str, str]:
    """Return one sentence for each picture."""
    return {**_of_cause(f), **_of_seen(f), **_of_visits(f), **_of_pages(f)}


def with_n(estimate: Estimate, kind: str = "change") -> str:
    """Return `−7.5 % (−8.1 % to −6.9 %; n = 10,575)`."""
    span = interval(estimate.low, estimate.high, kind)  # type: ignore[arg-type] # a kind of figure
    inside = f"{span}; n{NB}={NB}{estimate.n:,}" if span else f"n{NB}={NB}{estimate.n:,}"
    return f"{figure(estimate.value, kind)} ({inside})"  # type: ignore[arg-type]


def _of_cause(f: SpeedFindings) -> dict[str, str]:
    told = {}
    if f.arms is not None and len(f.arms.arms) > 1:
        last = [arm for arm in f.arms.arms if arm.relative][-1]
        engaged, wall = last.relative.get("engaged_time"), last.relative.get("wall_time")
        if engaged is not None and wall is not None:
            title = f.arms.titles.get(last.name, last.name)
            told["dose"] = f"At {title}: engaged time {with_n(engaged)}, wall time {with_n(wall)}."
            told["budget"] = "Waiting grows, looking shrinks; wall time, their sum, hides how much."
    for one in f.bridges:
        caused, seen = one.parts[0].value, next(part.value for part in one.parts if part.kind == "end")
        said = f"{difference(caused, one.unit)} caused, {difference(seen, one.unit)} seen"
        told[f"bridge_{one.by}"] = f"{said}: {one.told}."
    if f.overlay is not None:
        told["gap"] = _gap(f.overlay)
    for metric in ("engaged_time", "conversion"):
        ends = [one.relative[metric][-1].value for one in f.sensitivity]
        if len(ends) > 1:
            span = f"{figure(ends[0], 'change')} (h = 0) to {figure(ends[-1], 'change')} (h = 0.05)"
            told[f"sensitivity_{metric}"] = (
                f"{NAMES[metric]} at +{f.sensitivity[0].delay_s[-1]:g}{THIN}s: {span}; "
                f"n{NB}={NB}{f.sensitivity[0].relative[metric][-1].n:,}."
            )
    return told


def _gap(found: Overlay) -> str:
    """Return both curves at the slowest load time of which there are visits enough, or nothing."""
    slow = [(x, e) for x, e in zip(found.observed_s, found.observed, strict=True) if e.n >= 200]
    if not slow:
        return ""
    at, seen = slow[-1]
    caused = [e for x, e in zip(found.causal_s, found.causal, strict=True) if x >= at][:1] or [found.causal[-1]]
    return (
        f"Pages against {seconds(found.reference_s)}: seen {with_n(seen)} at {seconds(at)}, caused {with_n(caused[0])}."
    )


def _of_seen(f: SpeedFindings) -> dict[str, str]:
    told = {}
    for chart in (f.landing, f.average):
        if chart is None:
            continue
        solid = [one for one in chart.bins if one.visits >= 200]
        for metric, kind in (("bounce", "share"), ("pages", "count")):
            if len(solid) > 1:
                first, last = solid[0], solid[-1]
                told[f"{chart.by}_{metric}"] = (
                    f"{NAMES[metric]} {with_n(first.metrics[metric], kind)} at {seconds(first.middle_s)}, "
                    f"{with_n(last.metrics[metric], kind)} at {seconds(last.middle_s)}."
                )
    for part, dealt in (("published_dealt", True), ("published_seen", False)):
        rows = [
            p for p in f.published if p.role == "predicted" and p.inside is not None and (p.design == DEALT) is dealt
        ]
        if rows:
            inside = sum(bool(one.inside) for one in rows)
            told[part] = (
                f"{inside} of {counted(len(rows), 'prediction')} inside the simulated interval, "
                f"n{NB}={NB}{rows[0].simulated.n:,}."
            )
    if f.plateau is not None:
        knee = f.plateau.knee_s
        told["plateau"] = (
            f"Bounce bends at {with_n(knee, 'time')}."
            if f.plateau.bends
            else "No bend is shown: a plateau may be there, but these visits cannot tell it from chance."
        )
    return told


def _of_visits(f: SpeedFindings) -> dict[str, str]:
    told = {}
    for clock, rows in (f.arms.survival if f.arms is not None else {}).items():
        kind = "count" if clock == "pages" else "time"
        first = rows[0]
        text = f"Restricted mean of {f.arms.titles.get(first.arm, first.arm)}: {with_n(first.restricted, kind)}"  # type: ignore[union-attr]
        if len(rows) > 1:
            last = rows[-1]
            text += f"; {f.arms.titles.get(last.arm, last.arm)}: {with_n(last.change)} of it"  # type: ignore[union-attr]
        told[f"survival_{clock}"] = f"{text}."
    if f.arms is not None and f.arms.ends:
        shares = [(one, one.shares["renege"][-1]) for one in (f.arms.ends[0], f.arms.ends[-1])]
        said = ", ".join(f"{figure(share, 'share')} in {f.arms.titles.get(one.arm, one.arm)}" for one, share in shares)
        told["ends"] = f"Left while waiting, by {seconds(f.arms.ends[0].seconds[-1])}: {said}."
    if f.leaving.by_wait:
        rates = f.leaving.by_wait["all"]
        said = f"{with_n(rates[0].rate, 'share')} a second of the first seconds"
        told["hazard_wait"] = f"Shoppers who wait leave at {said}; the rate is what the behaviour assumes."
    if f.leaving.by_page:
        first_page = f.leaving.by_page[0].rate
        told["hazard_page"] = (
            f"{with_n(first_page, 'share')} end on their first page; who stays is more likely to stay on."
        )
    if f.arms is not None and f.arms.funnel:
        step = f.arms.funnel[-1]
        ends = list(step.of_all.items())
        said = "; ".join(f"{f.arms.titles.get(a, a)}: {with_n(e, 'share')}" for a, e in (ends[0], ends[-1]))
        told["funnel"] = f"{step.step.capitalize()}: {said}."
    return told


def _of_pages(f: SpeedFindings) -> dict[str, str]:
    told = {}
    whole = next((one for one in f.vitals if one.by == "all"), None)
    if whole is not None and whole.p75_s is not None:
        told["spread"] = (
            f"{figure(whole.good_lcp, 'share')} of {counted(whole.pages, 'page')} within 2.5{THIN}s; p75 is "
            f"{seconds(whole.p75_s)}, {_among_sites(whole.p75_s)}."
        )
    rows = [one for one in f.cohorts if one.by == "network"]
    if rows:
        slow = max(rows, key=lambda one: sum(one.seconds.values()))
        part, most = max(slow.seconds.items(), key=lambda item: item[1])
        told["lcp_network"] = (
            f"On {slow.name} the largest part is {part} with {seconds(most)} of {seconds(sum(slow.seconds.values()))} "
            f"(mean, n = {slow.pages:,}); CrUX's bars are medians over sites of a p75, so compare shapes, not lengths."
        )
    found = f.arms.heterogeneity if f.arms is not None else None
    if found is not None:
        p = [f"{by} {_p(value)}" for by, value in found.p.items()]
        told["forest"] = (
            f"All visits: {with_n(found.whole)}. Chance of such differences if all had one effect: {', '.join(p)}."
        )
    return told


def _among_sites(p75_s: float) -> str:
    """Return where a p75 stands among the field's sites."""
    place = 0 if p75_s <= GOOD_LCP_S else 1 if p75_s <= POOR_LCP_S else 2
    (name, share), *others = [CRUX_SITES[place], *CRUX_SITES[:place], *CRUX_SITES[place + 1 :]]
    rest = ", ".join(f"{figure(other, 'share')} {what}" for what, other in others)
    return f"{name} as that of {figure(share, 'share')} of mobile sites ({rest}; CrUX in the Web Almanac 2025)"


def _p(value: float | None) -> str:
    if value is None:
        return NONE
    return "below 0.001" if value < 0.001 else f"{value:.3f}".rstrip("0").rstrip(".")
