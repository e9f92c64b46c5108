"""The compiled loop of an experiment: every visit in every arm, reduced to exact sums as soon as it has ended.

No event is kept. All sums are integers, so that neither blocks nor workers nor their order can show.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from simulator.journey.records import CAUSES, MAX_STEPS, Record
from simulator.model.compiled import compiled, record_dtype
from simulator.model.schema import TECHNOLOGIES
from simulator.model.states import STATE_INDEX
from simulator.worlds.paired import attribute, compare, empty_losses, play_visit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulator.journey.plan import Plan
    from simulator.worlds.paired import Arms, Room

METRICS = (
    "wall_time",
    "engaged_time",
    "waited_time",
    "ga_time",
    "pages",
    "bounce",
    "conversion",
    "orders",
    "revenue_per_1000",
    "left_done",
    "left_impatient",
    "left_put_off",
    "left_error",
    "left_budget",
    "landing_load",
)
"""What is known of every arm, each a mean over visits: times in seconds, shares in [0, 1], counts; names as in
`analysis.metrics` where it has them. `revenue_per_1000` is in whole currency units for 1,000 visits. `landing_load` is
what the first page took or would have taken, whether it was waited for or not."""
GROUP_METRICS = ("pages", "engaged_time", "wall_time", "conversion")
"""What is known of groups of visits."""
FUNNEL = ("product", "add_to_cart", "checkout", "payment", "purchase")
"""Pages that count as steps of the funnel once they were loaded and waited for."""
SECONDS = 3_601
"""Cells of a grid of seconds: cell s holds visits of [s, s + 1) seconds, the last all that are longer."""

US, MS_US = 1_000_000, 1_000
FUNNEL_STATES = np.array([STATE_INDEX[name] for name in FUNNEL])
GROUPED = np.array([METRICS.index(name) for name in GROUP_METRICS])
UNITS = np.array([MS_US if name.endswith("_time") or name == "landing_load" else 1 for name in METRICS])
"""What products of a metric are counted in: times in milliseconds, so that they cannot run over."""
M, NETWORKS = len(METRICS), len(TECHNOLOGIES)
LIMB = 30
"""Bits of the lower limb of a sum of products: the sums of both limbs hold for billions of shoppers."""
CAUSE_OF = np.array([CAUSES.index(name.removeprefix("left_")) for name in METRICS if name.startswith("left_")])
FIRST_CAUSE = METRICS.index("left_done")

PRODUCTS = record_dtype(
    [
        # Over shoppers: of a metric's sum y in an arm, y0 in control, and the shopper's visits n; (high, low) limbs.
        ("total", "i8"),
        ("yy", "i8", (2,)),
        ("yn", "i8", (2,)),
        ("dd", "i8", (2,)),
        ("dn", "i8", (2,)),
        ("dy0", "i8", (2,)),
        ("y0y0", "i8", (2,)),
    ]
)
COUNTS = record_dtype([("visits", "i8"), ("shoppers", "i8"), ("nn", "i8", (2,))])


class Groups(NamedTuple):
    """How visits fall into groups: a group's number is `first + persona·p + tier·t + network·n + country·c`."""

    first: NDArray[np.int64]
    """(G,) the first number of each grouping."""
    strides: NDArray[np.int64]
    """(G, 4) of persona, tier, network, country; 0 where the grouping does not look."""
    tier_of_device: NDArray[np.int64]


class Tally(NamedTuple):
    """All that is summed over visits; A arms with control first."""

    counts: NDArray[Any]
    """(1,) of COUNTS."""
    products: NDArray[Any]
    """(A, M) of PRODUCTS."""
    pages: NDArray[np.int64]
    """(A, causes, MAX_STEPS + 1) visits."""
    engaged: NDArray[np.int64]
    """(A, causes, SECONDS) visits."""
    wall: NDArray[np.int64]
    """(A, causes, SECONDS) visits."""
    funnel: NDArray[np.int64]
    """(A, steps) visits."""
    lost: NDArray[np.int64]
    """See `empty_losses`."""
    group_counts: NDArray[Any]
    """(groups,) of COUNTS."""
    groups: NDArray[Any]
    """(groups, A, metrics of groups) of PRODUCTS."""


def empty_tally(arms: int, groups: int) -> Tally:
    """Return a tally of nothing."""
    causes = len(CAUSES)
    return Tally(
        np.zeros(1, COUNTS),
        np.zeros((arms, M), PRODUCTS),
        np.zeros((arms, causes, MAX_STEPS + 1), np.int64),
        np.zeros((arms, causes, SECONDS), np.int64),
        np.zeros((arms, causes, SECONDS), np.int64),
        np.zeros((arms, len(FUNNEL)), np.int64),
        empty_losses(arms),
        np.zeros(groups, COUNTS),
        np.zeros((groups, arms, len(GROUPED)), PRODUCTS),
    )


class Sums(NamedTuple):
    """What one shopper's visits came to so far, by the network that their landing page met."""

    sums: NDArray[np.int64]
    """(NETWORKS, A, M)."""
    visits: NDArray[np.int64]
    """(NETWORKS,)."""


def empty_sums(arms: int) -> Sums:
    """Return the sums of nobody."""
    return Sums(np.zeros((NETWORKS, arms, M), np.int64), np.zeros(NETWORKS, np.int64))


@compiled
def measure(visit: Record, of_visit: NDArray[np.int64]) -> None:
    """Add a finished visit to sums in the order of METRICS: microseconds, counts, cents."""
    of_visit[0] += visit.elapsed_us
    of_visit[1] += visit.engaged_us
    of_visit[2] += visit.waited_us
    of_visit[3] += visit.ga_us
    of_visit[4] += visit.pages
    of_visit[5] += visit.pages == 1
    of_visit[6] += visit.orders > 0
    of_visit[7] += visit.orders
    of_visit[8] += visit.revenue_cents
    for place in range(len(CAUSE_OF)):
        of_visit[FIRST_CAUSE + place] += visit.cause == CAUSE_OF[place]
    of_visit[M - 1] += visit.landing_load_us


@compiled
def _add(limbs: NDArray[np.int64], product: int) -> None:
    limbs[0] += product >> LIMB
    limbs[1] += product & ((1 << LIMB) - 1)


@compiled
def _add_products(row: Record, sum_: int, control: int, unit: int, n: int) -> None:
    """Add one shopper's sums of a metric in an arm and in control, over `n` visits."""
    y, y0 = (sum_ + unit // 2) // unit, (control + unit // 2) // unit
    row.total += sum_
    _add(row.yy, y * y)
    _add(row.yn, y * n)
    _add(row.dd, (y - y0) * (y - y0))
    _add(row.dn, (y - y0) * n)
    _add(row.dy0, (y - y0) * y0)
    _add(row.y0y0, y0 * y0)


@compiled
def _add_counts(row: Record, n: int) -> None:
    row.visits += n
    row.shoppers += 1
    _add(row.nn, n * n)


@compiled
def _add_group(tally: Tally, group: int, sums: NDArray[np.int64], n: int) -> None:
    _add_counts(tally.group_counts[group], n)
    for arm in range(len(sums)):
        for place in range(len(GROUPED)):
            metric = GROUPED[place]
            _add_products(tally.groups[group, arm, place], sums[arm, metric], sums[0, metric], UNITS[metric], n)


@compiled
def _add_shopper(tally: Tally, groups: Groups, shopper: Record, tier: int, use: Sums) -> None:
    """Add the sums of one shopper, and empty them."""
    n, used = 0, 0
    total = np.zeros(use.sums.shape[1:], np.int64)
    for network in range(NETWORKS):
        if use.visits[network] > 0:
            n += use.visits[network]
            used = network
            total += use.sums[network]
    _add_counts(tally.counts[0], n)
    for arm in range(len(total)):
        for metric in range(M):
            _add_products(tally.products[arm, metric], total[arm, metric], total[0, metric], UNITS[metric], n)
    for grouping in range(len(groups.first)):
        stride = groups.strides[grouping]
        group = groups.first[grouping] + stride[0] * shopper.persona + stride[1] * tier + stride[3] * shopper.country
        if stride[2] == 0 or use.visits[used] == n:
            _add_group(tally, group + stride[2] * used, total, n)
            continue
        for network in range(NETWORKS):
            if use.visits[network] > 0:
                _add_group(tally, group + stride[2] * network, use.sums[network], use.visits[network])
    use.sums[:], use.visits[:] = 0, 0


@compiled
def _add_visit(tally: Tally, arm: int, visit: Record, seen: int) -> None:
    """Add a finished visit to the counts that do not depend on who made it."""
    tally.pages[arm, visit.cause, visit.pages] += 1
    tally.engaged[arm, visit.cause, min(visit.engaged_us // US, SECONDS - 1)] += 1
    tally.wall[arm, visit.cause, min(visit.elapsed_us // US, SECONDS - 1)] += 1
    for step in range(len(FUNNEL_STATES)):
        tally.funnel[arm, step] += (seen >> FUNNEL_STATES[step]) & 1


@compiled
def play_all(
    arms: Arms, seed: int, plan: Plan, shoppers: NDArray[Any], groups: Groups, use: Room, own: Sums, tally: Tally
) -> None:
    """Play a plan of one arm in all arms and add it up; `shoppers` are its shoppers' rows of SHOPPER, in its order."""
    who = -1
    for row in range(len(plan.shopper)):
        if row == 0 or plan.shopper[row] != plan.shopper[row - 1]:
            if row > 0:
                _add_shopper(tally, groups, shoppers[who], groups.tier_of_device[shoppers[who].device], own)
            who += 1
        shopper = shoppers[who]
        tier, landing = groups.tier_of_device[shopper.device], 0
        for arm in range(len(arms.arms)):
            visit, event = use.walks[arm], use.events[arm]
            seen, met = play_visit(arms, arm, seed, shopper, plan.visit[row], plan.start_us[row], visit, event)
            _add_visit(tally, arm, visit, seen)
            if arm == 0:
                landing = met
            elif compare(use.walks[0], visit, use.events[0], event, shopper, use.one[0]):
                attribute(tally.lost, use.one[0], arm, tier)
            measure(visit, own.sums[landing, arm])
        own.visits[landing] += 1
    if who >= 0:
        _add_shopper(tally, groups, shoppers[who], groups.tier_of_device[shoppers[who].device], own)
