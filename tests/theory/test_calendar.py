"""A calendar plan: visits over days and hours, at the shopper's own local time, as the closed forms have them.

Seeds are fixed; with other seeds a test would fail by chance for one in 10,000.
"""

import math
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import calendars
import holidays
import numpy as np
import pytest
from calendars import changed, flat, with_gaps
from scipy import stats

from simulator.journey.calendar import Campaign, compile_calendar, plain_calendar, responses
from simulator.journey.plan import APART_US, DAY_US, MOST_VISITS, calendar_plan, draw_shoppers
from simulator.journey.returns import mean_gap_us
from simulator.journey.visits import all_visits
from simulator.model.gaps import first_gap_share, gap_survival
from simulator.model.persona import load_population
from simulator.model.places import city_table
from simulator.model.population import compile_population

SEED, SHOPPERS, LEVEL = 4, 24_000, 1e-4
HORIZON_US = 7 * DAY_US
WEEK_US = 7 * DAY_US
FRIDAY = 4
CHRISTMAS = datetime(2026, 12, 21, tzinfo=UTC)


@pytest.fixture(scope="module")
def shoppers(everyday):
    """Return who the shoppers are."""
    return draw_shoppers(everyday[0], SEED, 0, SHOPPERS)


@pytest.fixture(scope="module")
def plan(everyday, shoppers):
    """Return the visits of a week that begins on a Friday."""
    return calendar_plan(everyday[0], SEED, 0, SHOPPERS, HORIZON_US, FRIDAY, 1, shoppers)


def visits_of(population, rows, horizon_us, calendar=None, strengths=None):
    """Return (visits of each shopper, their starts) for given shoppers."""
    days = plain_calendar(population, 0) if calendar is None else calendar
    moved = np.zeros((len(rows), 0)) if strengths is None else strengths
    return all_visits(population, days, SEED, rows, horizon_us, moved)


@pytest.mark.parametrize("name", ["commuter_browser", "bargain_hunter", "in_store_comparer"])
def test_local_hours_follow_the_weights(name, everyday, plan, shoppers):
    """At home, the hours of a persona's visits are its 24 weights (Hotelling's T² over shoppers)."""
    population, roster = everyday
    rows = np.flatnonzero(shoppers["persona"][plan.shopper] == roster.personas.index(name))
    who, mine = np.unique(plan.shopper[rows], return_inverse=True)
    hours = (plan.start_us[rows] // 1_000_000 + shoppers["utc_offset_s"][plan.shopper[rows]]) // 3_600 % 24
    weights = np.diff(population.personas["hour_cdf"][roster.personas.index(name)], prepend=0.0)
    counts = calendars.table(mine, hours, len(who), 24)
    assert len(who) > 500
    assert not counts[:, weights == 0].any()
    # Hours that hardly anybody keeps are one class: their normal approximation would be a poor one.
    rare = weights < 0.005
    merged = np.c_[counts[:, rare].sum(axis=1), counts[:, ~rare]]
    shares = np.r_[weights[rare].sum(), weights[~rare]]
    kept = shares > 0
    assert calendars.shares_pvalue(merged[:, kept], shares[None, kept]) > LEVEL


def test_minutes_within_an_hour_are_even(plan, shoppers):
    """Within its hour a shopper's first visit may start at any moment."""
    first = plan.visit == 0
    offset_us = shoppers["utc_offset_s"][plan.shopper[first]] * 1_000_000
    within = (plan.start_us[first] + offset_us) % 3_600_000_000 / 3_600_000_000
    assert stats.kstest(within, "uniform").pvalue > LEVEL


def dial_days(population, rows, days):
    """Return what each shopper's dial runs on each local day of a horizon of whole days, (shoppers, days + 2)."""
    offset = rows["utc_offset_s"] / 86_400
    cdf = population.personas["hour_cdf"][rows["persona"]]
    local = offset - np.floor(offset)
    begin = np.floor(offset) + np.array(
        [np.interp(24 * x, range(25), np.r_[0, c]) for x, c in zip(local, cdf, strict=True)]
    )
    edges = np.clip(np.arange(-1, days + 2)[None, :], begin[:, None], begin[:, None] + days)
    return np.diff(edges, axis=1)


@pytest.mark.parametrize("persona", ["commuter_browser", "in_store_comparer"])
def test_days_follow_weekend_and_holidays(persona, everyday):
    """In a fortnight round Christmas each local day has its weekend factor and its country's holidays, exactly.

    The expectation is made from the `holidays` library and the clock here, not from the plan's tables.
    """
    population, roster = everyday
    population = changed(population, holiday=0.3)
    rows = draw_shoppers(population, SEED, 0, SHOPPERS)
    rows = rows[rows["persona"] == roster.personas.index(persona)]
    calendar = compile_calendar(roster, CHRISTMAS, 14 * DAY_US)
    counts, starts = visits_of(population, rows, 14 * DAY_US, calendar)
    who = np.repeat(np.arange(len(rows)), counts)
    days = (starts // 1_000_000 + rows["utc_offset_s"][who]) // 86_400
    dates = [CHRISTMAS.date() + timedelta(days=day) for day in range(-1, 15)]
    known = {c: holidays.country_holidays(c, years=[2026, 2027]) for c in roster.countries}
    off = np.array([[day in known[country] for day in dates] for country in roster.countries])
    weekend = np.array([day.weekday() >= 5 for day in dates])
    factor = population.personas["weekend"][rows["persona"][0]]
    weights = np.where(weekend, factor, 1.0) * np.where(off[rows["country"]], 0.3, 1.0)
    weights = weights * dial_days(population, rows, 14)
    shares = weights / weights.sum(axis=1, keepdims=True)
    found = calendars.table(who, days + 1, len(rows), 16)
    inner = [found[:, 0] + found[:, 1], *found[:, 2:14].T, found[:, 14] + found[:, 15]]
    expected = [shares[:, 0] + shares[:, 1], *shares[:, 2:14].T, shares[:, 14] + shares[:, 15]]
    assert calendars.shares_pvalue(np.array(inner).T, np.array(expected).T) > LEVEL
    on, outside = found[:, 1:-1][off[rows["country"]][:, 1:-1]].sum(), found[:, 1:-1].sum()
    assert 0 < on < 0.3 * outside


@pytest.mark.parametrize(("exponent", "longest"), [(0, 0), (0.6, 20.0), (1.0, 10.0), (1.6, 50.0)])
@pytest.mark.parametrize("rate", [0.2, 1.0, 6.0])
def test_number_of_visits(exponent, longest, rate, everyday, shoppers):
    """Whoever comes, comes the weekly rate divided by the chance of coming at all: both are known in closed form."""
    population = with_gaps(flat(everyday[0]), exponent, longest)
    rows = calendars.all_at(shoppers[:8_000], rate)
    counts, _ = visits_of(population, rows, HORIZON_US)
    if exponent == 0:
        comes = -math.expm1(-rate)
    else:
        mean, apart = mean_gap_us(population.personas[0], rate), APART_US
        span = (HORIZON_US - apart) / (mean - apart)
        comes = (apart + (mean - apart) * first_gap_share(exponent, longest, np.array([span]))[0]) / mean
    assert counts.min() >= 1
    assert abs(counts.mean() - rate / comes) < 4 * counts.std() / math.sqrt(len(counts))


def test_a_week_has_the_personas_rate_whatever_its_rhythm(everyday, shoppers):
    """Over a long horizon the visits a week are the shopper's own number, with hours, weekends and memory."""
    rows = calendars.all_at(shoppers[:400], 3.0)
    counts, _ = visits_of(everyday[0], rows, 60 * WEEK_US)
    assert abs(counts.mean() / 60 - 3.0) < 4 * counts.std() / 60 / math.sqrt(len(counts))


@pytest.mark.parametrize("exponent", [0.6, 1.2])
def test_gaps_are_the_power_law(exponent, everyday, shoppers):
    """Return gaps are the truncated Lomax law (Kolmogorov-Smirnov), and their slope on log-log axes is its exponent."""
    longest, rate = 20.0, 3.0
    population = with_gaps(flat(everyday[0]), exponent, longest)
    rows = calendars.all_at(shoppers[:40], rate)
    counts, starts = visits_of(population, rows, 400 * WEEK_US)
    mean_us = mean_gap_us(population.personas[0], rate)
    gaps = np.concatenate([np.diff(s)[:500] for s in np.split(starts, np.cumsum(counts)[:-1])])
    gaps = (gaps - APART_US) / (mean_us - APART_US)
    assert len(gaps) == 20_000
    assert stats.kstest(gaps, lambda y: 1 - gap_survival(exponent, longest, y)).pvalue > LEVEL
    # Between the bend at small gaps and the cut at large ones; the cut is put back, as the law has it.
    at = np.geomspace(1.0, 5.0, 12)
    beyond = gap_survival(exponent, longest, np.array([longest / 2])) - np.mean(gaps > longest / 2)
    assert abs(beyond) < 0.01
    found = np.array([np.mean(gaps > g) for g in at])
    scale = population.personas["gap_scale"][0]
    cut = (1 + longest / scale) ** -exponent
    slope = np.polyfit(np.log(at + scale), np.log(found * (1 - cut) + cut), 1)[0]
    assert slope == pytest.approx(-exponent, abs=0.05)


def test_shipped_gaps_fall_like_the_published_ones(everyday, shoppers):
    """With hours, weekends and all, the share of returns after more than a day falls with slope −0.6, and no faster.

    Whole days, so that the rhythm of the day does not show; published: −0.6 (Montgomery & Faloutsos 2001).
    """
    rows = calendars.all_at(shoppers[:600], 1.0)
    counts, starts = visits_of(everyday[0], rows, 300 * WEEK_US)
    days = np.concatenate([np.diff(s)[:200] for s in np.split(starts, np.cumsum(counts)[:-1])]) / DAY_US
    at = np.geomspace(1.0, 14.0, 12)
    slope = np.polyfit(np.log(at), np.log([np.mean(days > d) for d in at]), 1)[0]
    assert -0.75 < slope < -0.45
    assert stats.variation(days) > 1.8


def test_without_memory_it_is_the_poisson_process_of_its_intensity(everyday, shoppers):
    """On the clock of the cumulative intensity the gaps are unit exponentials (time-rescaling theorem, KS).

    The intensity is added up here from the persona's hours, its weekend, the country's holidays and the time zone
    database, over half a year with two changes of the clock.
    """
    population, roster = everyday
    population = changed(with_gaps(population, 0, 0), holiday=2.0)
    begin, days = datetime(2026, 3, 1, tzinfo=UTC), 252
    calendar = compile_calendar(roster, begin, days * DAY_US)
    berlin = np.flatnonzero(shoppers["city"] == roster.cities.index("Berlin"))[:40]
    rows = calendars.all_at(shoppers[berlin], 1.0)
    counts, starts = visits_of(population, rows, days * DAY_US, calendar)
    assert len(calendar.change_at_us) > 0
    rescaled = []
    for row, own in zip(rows, np.split(starts, np.cumsum(counts)[:-1]), strict=True):
        edges, sums = intensity(population.personas[row["persona"]], "Europe/Berlin", "DE", begin, days)
        rescaled.append(np.diff(np.interp(own / 1e6, edges, sums), prepend=0.0))
    gaps = np.concatenate(rescaled)
    assert len(gaps) > 1_200
    assert stats.kstest(gaps, "expon").pvalue > LEVEL
    assert abs(np.corrcoef(gaps[:-1], gaps[1:])[0, 1]) < stats.norm.isf(LEVEL / 2) / math.sqrt(len(gaps))


def intensity(persona, zone, country, begin, days):
    """Return (seconds, expected visits until then) at a rate of one visit a week, hour by hour of UTC."""
    off = holidays.country_holidays(country, years=[2026])
    hours = np.diff(persona["hour_cdf"], prepend=0.0)
    sums = [0.0]
    for hour in range(24 * days):
        local = (begin + timedelta(hours=hour)).astimezone(ZoneInfo(zone))
        day = (persona["weekend"] if local.weekday() >= 5 else 1.0) * (
            persona["holiday"] if local.date() in off else 1.0
        )
        sums.append(sums[-1] + hours[local.hour] * day / (5 + 2 * persona["weekend"]))
    return np.arange(24 * days + 1) * 3600.0, np.array(sums)


def test_superposed_visits_follow_the_population(everyday, plan, shoppers):
    """All shoppers' visits together follow, by hour in UTC, the sum of their personas' curves in their time zones."""
    population, _ = everyday
    hours = np.diff(population.personas["hour_cdf"], axis=1, prepend=0.0)
    who = np.arange(SHOPPERS)
    quarters = np.repeat(hours[shoppers["persona"]] / 4, 4, axis=1)
    offset = (shoppers["utc_offset_s"] // 900)[:, None]
    in_utc = np.take_along_axis(quarters, (np.arange(96)[None, :] + offset) % 96, axis=1)
    shares = in_utc.reshape(SHOPPERS, 24, 4).sum(axis=2)
    found = calendars.table(plan.shopper, plan.start_us // 3_600_000_000 % 24, len(who), 24)
    assert calendars.shares_pvalue(found, shares) > LEVEL
    assert found.sum(axis=0).max() > 1.5 * found.sum(axis=0).min()


def test_visits_of_a_shopper_are_in_order_and_apart(plan):
    """A shopper's visits are numbered from 0 in order of time and start at least a session's cut-off apart."""
    same = plan.shopper[1:] == plan.shopper[:-1]
    assert (np.diff(plan.start_us)[same] >= APART_US).all()
    assert (np.diff(plan.visit)[same] == 1).all()
    assert not plan.visit[np.flatnonzero(np.r_[True, ~same])].any()
    assert plan.start_us.min() >= 0
    assert plan.start_us.max() < HORIZON_US
    assert set(np.unique(plan.shopper)) == set(range(SHOPPERS))


def test_a_shopper_has_the_same_visits_in_any_range(everyday, plan):
    """A plan of some shoppers is that part of the plan of all."""
    part = calendar_plan(everyday[0], SEED, 1_000, 1_100, HORIZON_US, FRIDAY)
    rows = np.flatnonzero((plan.shopper >= 1_000) & (plan.shopper < 1_100))
    assert all((mine == all_[rows]).all() for mine, all_ in zip(part, plan, strict=True))


def test_every_visit_is_played_in_every_arm(everyday):
    """With three arms each visit stands there three times, at the same moment."""
    one, three = (calendar_plan(everyday[0], SEED, 0, 50, HORIZON_US, FRIDAY, arms) for arms in (1, 3))
    assert (three.start_us.reshape(-1, 3) == one.start_us[:, None]).all()
    assert (three.arm.reshape(-1, 3) == np.arange(3)).all()


def by_shopper(counts, starts):
    """Return each shopper's starts."""
    return np.split(starts, np.cumsum(counts)[:-1])


def test_a_longer_horizon_moves_no_visit(everyday, shoppers):
    """What a shopper does in two years begins with what they do in its first week, for all who come in that week.

    Those who would not have come, and had to, are the only ones to be dealt anew.
    """
    rows = shoppers[:3_000]
    rows = rows[rows["visits_per_week"] > 0.3]
    week, years = (by_shopper(*visits_of(everyday[0], rows, days * DAY_US)) for days in (7, 728))
    early = [own[own < HORIZON_US] for own in years]
    # Two years are longer than the longest gap at such rates, so that nobody is dealt anew in them.
    stayed = [len(own) > 0 for own in early]
    assert all((own == short).all() for own, short, same in zip(early, week, stayed, strict=True) if same)
    assert 0.2 < np.mean(stayed) < 0.8


def test_a_quieter_holiday_only_loses_visits(everyday, shoppers):
    """A factor below 1 takes visits of that day away and moves no other."""
    population, roster = everyday
    calendar = compile_calendar(roster, CHRISTMAS, 14 * DAY_US)
    rows = calendars.all_at(shoppers[:2_000], 7.0)
    usual, quiet = (
        by_shopper(*visits_of(changed(population, holiday=factor), rows, 14 * DAY_US, calendar))
        for factor in (1.0, 0.2)
    )
    kept = [set(less) <= set(more) for more, less in zip(usual, quiet, strict=True)]
    lost = sum(map(len, usual)) - sum(map(len, quiet))
    assert lost > 500
    # All but the few who came on holidays only, and had to come all the same.
    assert np.mean(kept) > 0.97


CAMPAIGN = Campaign("sale", 2 * DAY_US, 12 * 3.6e9, 3.0, 4 * 3.6e9)


def test_a_campaign_moves_nobody_else_and_no_other_visit(everyday, shoppers):
    """Whoever a campaign does not reach keeps every visit; whoever it does gets more, beside the ones they have."""
    population, roster = with_gaps(everyday[0], 0, 0), everyday[1]
    rows = calendars.all_at(shoppers[:4_000], 6.0)
    plain = compile_calendar(roster, CHRISTMAS, HORIZON_US)
    with_it = compile_calendar(roster, CHRISTMAS, HORIZON_US, [CAMPAIGN])
    reached = np.where(np.arange(len(rows)) % 2, 1.0, 0.0)[:, None]
    before = by_shopper(*visits_of(population, rows, HORIZON_US, plain))
    after = by_shopper(*visits_of(population, rows, HORIZON_US, with_it, reached))
    came = [own for own in range(len(rows)) if own % 2]
    for own in range(0, len(rows), 2):
        assert (before[own] == after[own]).all()
    assert np.mean([len(after[own]) >= len(before[own]) for own in came]) > 0.995
    # A visit of the campaign puts one that would fall into its session half an hour later.
    assert np.mean([np.isin(before[own], after[own]).all() for own in came]) > 0.9
    assert sum(len(after[own]) - len(before[own]) for own in came) > 500


def test_a_campaign_brings_what_it_says(everyday, shoppers):
    """Extra visits are the lift times the ordinary ones while it lasts, halving after it (closed form)."""
    population = with_gaps(flat(everyday[0]), 0, 0)
    rows = calendars.all_at(shoppers[:20_000], 10.0)
    roster = everyday[1]
    calendar = compile_calendar(roster, CHRISTMAS, HORIZON_US, [CAMPAIGN])
    strengths = np.full((len(rows), 1), 0.5)
    extra = []
    for moved, days in ((np.zeros((len(rows), 1)), calendar), (strengths, calendar)):
        _, starts = visits_of(population, rows, HORIZON_US, days, moved)
        hours = (starts - 2 * DAY_US) / 3.6e9
        extra.append(np.histogram(hours, [-24, 0, 12, 16, 20, 36])[0])
    per_hour = len(rows) * 10.0 / 168 * 3.0 * 0.5
    tail = [4 / math.log(2) * (0.5 ** (a / 4) - 0.5 ** (b / 4)) for a, b in ((0, 4), (4, 8), (8, 24))]
    expected = per_hour * np.array([0, 12, *tail])
    found = extra[1] - extra[0]
    # Ordinary visits are the same in both, but for who has none and is dealt anew, 5 in 100,000.
    assert (np.abs(found - expected) < 4 * np.sqrt(expected) + 0.012 * expected + 30).all()


def test_who_is_moved_by_a_campaign(everyday, shoppers):
    """Strength is the persona's factor where channel and consent are given, times the shopper's own response."""
    roster = everyday[1]
    campaign = Campaign("x", 0, 1.0, 1.0, personas={"tourist": 0.5, "loyal_member": 1.0}, consent="push")
    found = responses([campaign], roster, shoppers)[:, 0]
    named = np.array(roster.personas)[shoppers["persona"]]
    factor = np.select([named == "tourist", named == "loyal_member"], [0.5, 1.0], 0.0)
    assert found == pytest.approx(factor * (shoppers["push"] != 0) * shoppers["campaign_response"])
    assert 0 < found.mean() < 1


@pytest.mark.parametrize("change", [datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 10, 25, 1, tzinfo=UTC)])
def test_hours_are_the_local_clocks_after_it_is_changed(change):
    """Shoppers keep their hours by the clock on the wall, before and after it is put forward or back."""
    begin = change.replace(hour=0) - timedelta(days=3)
    population, roster = compile_population(load_population("everyday"), begin)
    nine_to_ten = np.r_[np.zeros(9), np.ones(15)]
    population = changed(population, hour_cdf=nine_to_ten, hour_guide=np.full(64, 9), peak=24.0)
    calendar = compile_calendar(roster, begin, HORIZON_US)
    cities = {roster.cities.index(name): name for name in ("Berlin", "London", "Tokyo")}
    rows = draw_shoppers(population, SEED, 0, 12_000)
    rows = rows[np.isin(rows["city"], list(cities))][:300]
    zones = {city.name: ZoneInfo(city.timezone) for city in city_table()}
    counts, starts = visits_of(population, rows, HORIZON_US, calendar)
    for city, start in zip(np.repeat(rows["city"], counts), starts, strict=True):
        local = (begin + timedelta(microseconds=int(start))).astimezone(zones[cities[city]])
        assert local.hour == 9
    assert len(starts) > 300


def test_holidays_are_those_of_the_country():
    """Christmas Day is a holiday in Germany and none in Japan, Boxing Day one in Britain and none in France."""
    population, roster = compile_population(load_population("everyday"))
    calendar = compile_calendar(roster, CHRISTMAS, 14 * DAY_US)
    day = {d: (date(2026, 12, d) - CHRISTMAS.date()).days + 1 for d in (25, 26)}
    on = {c: calendar.holidays[roster.countries.index(c)] for c in ("DE", "JP", "GB", "FR")}
    assert on["DE"][day[25]]
    assert not on["JP"][day[25]]
    assert on["GB"][day[26]]
    assert not on["FR"][day[26]]
    assert len(population.cities) + 1 == len(calendar.first_change)


def test_who_never_has_a_day_comes_all_the_same(everyday, shoppers):
    """On a weekend without visits, and at a rate of next to nothing, each shopper still comes once."""
    population = changed(everyday[0], weekend=0.0)
    counts, starts = visits_of(population, shoppers[:500], 2 * DAY_US, plain_calendar(population, 5))
    assert counts.min() >= 1
    assert starts.max() < 2 * DAY_US + APART_US * MOST_VISITS
    assert (visits_of(everyday[0], calendars.all_at(shoppers[:500], 0.0), HORIZON_US)[0] == 1).mean() > 0.99


def test_summer_time_counts_at_the_reference_instant():
    """A shopper's own offset is the one of the reference instant itself, on the night of the change too."""
    spec = load_population("everyday")
    before, after = (
        compile_population(spec, datetime(2026, 3, 29, 0, 30, tzinfo=UTC).replace(hour=hour)) for hour in (0, 1)
    )
    berlin = before[1].cities.index("Berlin")
    assert before[0].cities["utc_offset_s"][berlin] == 3_600
    assert after[0].cities["utc_offset_s"][berlin] == 7_200
