"""What a scenario file may say: arrivals by kind, arms beside control, and values that make sense together."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from simulator.scenario.load import all_arms
from simulator.scenario.schema import Arm, Arrivals, ScenarioFile

HEAD = {"scenario": "mine", "describe": "A run."}
EDGE = 1e-6

PROFILES = {
    "a constant rate is a flat line": (
        {"kind": "constant", "rate": "10/s"},
        60.0,
        [(0, 10), (60, 10)],
    ),
    "constant is what is meant where nothing is said": (
        {"rate": "600/min"},
        60.0,
        [(0, 10), (60, 10)],
    ),
    "a ramp goes from one rate to another over the whole run": (
        {"kind": "ramp", "from": "1/s", "rate": "21/s"},
        120.0,
        [(0, 1), (120, 21)],
    ),
    "a ramp may go down": (
        {"kind": "ramp", "from": "20/s", "rate": "2/s"},
        10.0,
        [(0, 20), (10, 2)],
    ),
    "steps jump at their edges": (
        {"kind": "steps", "steps": [{"rate": "2/s", "duration": "20s"}, {"rate": "10/s", "duration": "40s"}]},
        60.0,
        [(0, 2), (20, 2), (20 + EDGE, 10), (60, 10)],
    ),
    "the last step lasts until the end of the run": (
        {"kind": "steps", "steps": [{"rate": "2/s", "duration": "20s"}, {"rate": "10/s", "duration": "5s"}]},
        60.0,
        [(0, 2), (20, 2), (20 + EDGE, 10), (25, 10), (60, 10)],
    ),
    "steps that a short run does not reach are left out": (
        {"kind": "steps", "steps": [{"rate": "2/s", "duration": "20s"}, {"rate": "10/s", "duration": "5s"}]},
        20.0,
        [(0, 2), (20, 2)],
    ),
    "a spike rises from the rate, stays at its peak and falls back": (
        {"kind": "spike", "rate": "2/s", "peak": "20/s", "start": "10s", "rise": "5s", "hold": "10s", "fall": "20s"},
        60.0,
        [(0, 2), (10, 2), (15, 20), (25, 20), (45, 2), (60, 2)],
    ),
    "a spike without a rise jumps": (
        {"kind": "spike", "rate": "2/s", "peak": "20/s", "start": "10s", "hold": "10s"},
        60.0,
        [(0, 2), (10, 2), (10 + EDGE, 20), (20, 20), (20 + EDGE, 2), (60, 2)],
    ),
    "a spike may begin with the run and be cut by its end": (
        {"kind": "spike", "rate": "2/s", "peak": "12/s", "rise": "10s", "fall": "10s"},
        15.0,
        [(0, 2), (10, 12), (15, 7)],
    ),
    "a spike may be a hole": (
        {"kind": "spike", "rate": "10/s", "peak": "1/s", "start": "5s", "hold": "5s", "fall": "5s"},
        20.0,
        [(0, 10), (5, 10), (5 + EDGE, 1), (10, 1), (15, 10), (20, 10)],
    ),
    "a step is cut where the run ends": (
        {"kind": "steps", "steps": [{"rate": "2/s", "duration": "1min"}]},
        12.0,
        [(0, 2), (12, 2)],
    ),
}


@pytest.mark.parametrize("promise", PROFILES)
@pytest.mark.parametrize("times", [1.0, 5.0])
def test_profiles(promise, times):
    """Arrivals of each kind are a line of (second, rate) points; a factor multiplies rates and moves no point."""
    given, duration_s, points = PROFILES[promise]
    profile = Arrivals.model_validate(given).profile(duration_s, times)
    assert profile == [(pytest.approx(second, abs=1e-9), pytest.approx(rate * times)) for second, rate in points]


@pytest.mark.parametrize("promise", PROFILES)
def test_a_profile_spans_the_run_in_order(promise):
    """Every profile begins at 0, ends with the run, and never goes back in time."""
    given, duration_s, _ = PROFILES[promise]
    seconds = [second for second, _ in Arrivals.model_validate(given).profile(duration_s)]
    assert seconds[0] == 0.0
    assert seconds[-1] == duration_s
    assert seconds == sorted(set(seconds))


WRONG_ARRIVALS = {
    "constant without a rate": ({"kind": "constant"}, "constant needs a `rate`, as 10/s"),
    "a ramp without a rate": ({"kind": "ramp", "from": "1/s"}, "ramp needs a `rate`, as 10/s"),
    "a ramp without a beginning": ({"kind": "ramp", "rate": "1/s"}, "ramp needs `from`, the rate it starts with"),
    "steps without steps": ({"kind": "steps"}, "steps needs a list `steps` of {rate, duration}"),
    "a ramp that is called nothing": ({"from": "1/s", "rate": "9/s"}, "constant has no `from`, only ramp has"),
    "steps that are called nothing": (
        {"rate": "9/s", "steps": [{"rate": "1/s", "duration": "1s"}]},
        "constant has no `steps`, only steps has",
    ),
    "steps with a rate of their own": (
        {"kind": "steps", "rate": "9/s", "steps": [{"rate": "1/s", "duration": "1s"}]},
        "steps has no `rate`, only constant, ramp, diurnal and spike have",
    ),
    "a rate of nothing": ({"rate": "0/s"}, "must be above zero"),
    "a rate without a unit": ({"rate": 10}, "must be a rate with its unit"),
    "a step of no length": ({"kind": "steps", "steps": [{"rate": "1/s", "duration": 0}]}, "greater than 0"),
    "a kind there is not": (
        {"kind": "wave", "rate": "1/s"},
        "Input should be 'constant', 'ramp', 'steps', 'diurnal', 'spike', 'csv', 'replay' or 'closed'",
    ),
    "a spike without a top": ({"kind": "spike", "rate": "1/s", "hold": "1s"}, "spike needs `peak`"),
    "a spike of no length": ({"kind": "spike", "rate": "1/s", "peak": "9/s"}, "needs a `rise`, `hold` or `fall`"),
    "a day of mean and peak": (
        {"kind": "diurnal", "rate": "1/s", "peak": "9/s"},
        "diurnal needs either `rate`, the mean, or `peak`",
    ),
    "a day of neither": ({"kind": "diurnal"}, "diurnal needs either `rate`, the mean, or `peak`"),
    "a zone without a time": ({"kind": "diurnal", "rate": "1/s", "zone": "Asia/Tokyo"}, "`zone` needs `at`"),
    "a zone there is not": (
        {"kind": "diurnal", "rate": "1/s", "at": "09:00", "zone": "Europe/Berln"},
        "must be a time zone, as Europe/Berlin; did you mean Europe/Berlin?",
    ),
    "a time there is not": ({"kind": "diurnal", "rate": "1/s", "at": "25:00"}, "must be a time of day, as 18:30"),
    "a file without a name": ({"kind": "csv"}, "csv needs a `file`, as traffic.csv"),
    "a file of another kind": ({"rate": "1/s", "file": "x.csv"}, "constant has no `file`, only csv and replay have"),
    "times without a file": ({"kind": "replay"}, "replay needs a `file`, as visits.parquet"),
    "times with a rate": ({"kind": "replay", "file": "x.csv", "rate": "1/s"}, "replay has no `rate`, only constant"),
    "times that are spaced": ({"kind": "replay", "file": "x.csv", "spacing": "even"}, "replay has no `spacing`"),
    "closed without shoppers": ({"kind": "closed"}, "closed needs `shoppers`, how many are there at once, as 200"),
    "closed with a rate": ({"kind": "closed", "shoppers": 9, "rate": "1/s"}, "closed has no `rate`, only constant"),
    "nobody at once": ({"kind": "closed", "shoppers": 0}, "greater than 0"),
    "shoppers at once of a rate": ({"rate": "1/s", "shoppers": 9}, "constant has no `shoppers`, only closed has"),
    "a unit there is not": ({"kind": "csv", "file": "x.csv", "unit": "per_year"}, "Input should be 'per_s'"),
    "two faults at once": (
        {"kind": "ramp", "file": "x.csv"},
        "csv and replay have; ramp needs a `rate`, as 10/s; ramp needs",
    ),
    "a spacing there is not": ({"rate": "1/s", "spacing": "odd"}, "Input should be 'poisson' or 'even'"),
    "a key there is not": ({"rate": "1/s", "burst": 3}, "Extra inputs are not permitted"),
}


@pytest.mark.parametrize("what", WRONG_ARRIVALS)
def test_arrivals_that_mean_nothing(what):
    """Arrivals that lack something, or say something that their kind does not know, are refused with what is right."""
    given, text = WRONG_ARRIVALS[what]
    with pytest.raises(ValidationError) as refused:
        Arrivals.model_validate(given)
    assert text in str(refused.value)


WRONG = {
    "a warm-up as long as the run": ({"duration": "10s", "warmup": "10s"}, "warmup must be shorter than the duration"),
    "no visit at once": ({"max_open_visits": 0}, "greater than 0"),
    "nobody has the time to return": (
        {"duration": "10s", "returning": {"share": "30%", "after": "20s"}},
        "returning.after must be shorter than the duration, which is 10 s",
    ),
    "two say who returns": (
        {
            "returning": {"share": 0.5, "after": "1s"},
            "arrivals": {"kind": "replay", "file": "x.csv", "shopper_column": "who"},
        },
        "both say who comes again",
    ),
    "two arms of one name": ({"arms": [{"name": "a"}, {"name": "a"}]}, "two arms have the same name"),
    "shares of more than everybody": (
        {"arms": [{"name": "a", "share": 0.7}, {"name": "b", "share": "40%"}]},
        "the shares of the arms sum to more than 1; control gets the rest",
    ),
    "a share of control that is not left": (
        {"arms": [{"name": "control", "share": 0.3}, {"name": "a", "share": 0.3}]},
        "control gets the share that the other arms leave, which is 0.7",
    ),
    "two campaigns of one name": (
        {"campaigns": [{"name": "a", "start": "1h", "length": "1h", "lift": 2}] * 2},
        "two campaigns have the same name",
    ),
    "a campaign that begins at a number": (
        {"campaigns": [{"name": "a", "start": 5, "length": "1h", "lift": 1}]},
        "must be a date and time, as 2026-11-27T06:00:00, or a time after the reference, as 6h",
    ),
    "a campaign that begins some day": (
        {"campaigns": [{"name": "a", "start": "2026-13-01", "length": "1h", "lift": 1}]},
        "must be a date and time",
    ),
    "a campaign of no height": (
        {"campaigns": [{"name": "a", "start": "1h", "length": "1h", "lift": 0}]},
        "greater than 0",
    ),
    "a campaign on a channel there is not": (
        {"campaigns": [{"name": "a", "start": "1h", "length": "1h", "lift": 1, "channels": ["fax"]}]},
        "allowed are organic, direct",
    ),
    "a campaign that needs a consent there is not": (
        {"campaigns": [{"name": "a", "start": "1h", "length": "1h", "lift": 1, "consent": "cookies"}]},
        "allowed are analytics",
    ),
    "half a day": ({"horizon": "36h"}, "horizon must be a whole number of days, as 7d"),
    "a time of no place": ({"reference": "2026-01-05T00:00:00"}, "reference needs its UTC offset"),
    "nobody": ({"shoppers": 0}, "greater than 0"),
    "no time": ({"duration": 0}, "greater than 0"),
    "a negative seed": ({"seed": -1}, "greater than or equal to 0"),
    "a seed of too many bits": ({"seed": 2**63}, "less than"),
    "a pace below life's": ({"pace": 0.5}, "greater than or equal to 1"),
    "a delay of a page there is not": (
        {"arms": [{"name": "a", "delay": {"hoem": "1s"}}]},
        "delay: hoem is not a state; allowed are all, home",
    ),
    "a pull to a page there is not": (
        {"arms": [{"name": "a", "pull": {"all": 2}}]},
        "pull: all is not a state; allowed are exit, home",
    ),
    "a negative pull": ({"arms": [{"name": "a", "pull": {"exit": -1}}]}, "greater than or equal to 0"),
    "a negative delay": ({"arms": [{"name": "a", "delay": {"all": "-1s"}}]}, "must not be negative"),
    "a share that is none": ({"arms": [{"name": "a", "share": 1.5}]}, "must be a share from 0 to 1, or 0% to 100%"),
    "a name with spaces": ({"arms": [{"name": "A b"}]}, "String should match pattern"),
    "pages of another kind": ({"pages": "fast"}, "Input should be 'cards' or 'instant'"),
    "a host that is none": ({"host": "localhost:80"}, "must be a base URL, as https://shop.example"),
}


@pytest.mark.parametrize("what", WRONG)
def test_values_that_make_no_sense(what):
    """A value that is impossible, alone or together with others, is refused with what is allowed."""
    given, text = WRONG[what]
    with pytest.raises(ValidationError) as refused:
        ScenarioFile.model_validate(HEAD | given)
    assert text in str(refused.value)


def test_a_scenario_needs_only_a_name_and_a_sentence():
    """Everything else has a default that stands in the schema."""
    spec = ScenarioFile.model_validate(HEAD)
    assert (spec.population, spec.target, spec.seed, spec.duration, spec.arms) == (
        "everyday",
        "storefront",
        7,
        30.0,
        [],
    )


def test_a_hosts_last_slash_is_nobodys():
    """A base URL is kept without its last slash, whoever wrote it."""
    assert ScenarioFile.model_validate(HEAD | {"host": "http://shop.example/"}).host == "http://shop.example"


ARMS = {
    "control alone": ([], [("control", 1.0)]),
    "control gets the rest": ([("slower", 0.3)], [("control", 0.7), ("slower", 0.3)]),
    "control comes first wherever it stands": (
        [("a", 0.25), ("control", 0.5), ("b", 0.25)],
        [("control", 0.5), ("a", 0.25), ("b", 0.25)],
    ),
    "nobody is left for control": ([("a", 0.5), ("b", 0.5)], [("control", 0.0), ("a", 0.5), ("b", 0.5)]),
    "thirds are thirds, whatever the last bit says": (
        [(name, 1 / 49) for name in map("a{}".format, range(49))],
        [("control", 0.0), *((name, 1 / 49) for name in map("a{}".format, range(49)))],
    ),
}


@pytest.mark.parametrize("promise", ARMS)
def test_control_is_always_there_and_first(promise):
    """Arms are completed by control, which comes first and has the share that the others leave."""
    given, expected = ARMS[promise]
    arms = all_arms([Arm(name=name, share=share) for name, share in given])
    assert [arm.name for arm in arms] == [name for name, _ in expected]
    assert [arm.share for arm in arms] == pytest.approx([share for _, share in expected], abs=1e-12)


STARTS = {
    "a time after the reference": ("36h", False, 36 * 3_600),
    "an instant": ("2026-01-06T12:00:00+02:00", False, 34 * 3_600),
    "a time on each shopper's clock": ("2026-01-06T12:00:00", True, 36 * 3_600),
}


@pytest.mark.parametrize("what", STARTS)
def test_a_campaign_begins(what):
    """A campaign begins so long after the reference, at one instant, or on each shopper's own clock."""
    start, local, seconds = STARTS[what]
    burst = {"name": "a", "start": start, "length": "2h", "lift": 2, "half_life": "30min", "consent": "push"}
    spec = ScenarioFile.model_validate(HEAD | {"campaigns": [burst]})
    made = spec.campaigns[0].compiled(spec.reference)
    assert (made.local, made.begin_us) == (local, seconds * 1_000_000)
    assert (made.length_us, made.half_us, made.consent) == (7.2e9, 1.8e9, "push")
    assert ScenarioFile.model_validate(spec.model_dump(mode="json", by_alias=True, exclude_none=True)) == spec
