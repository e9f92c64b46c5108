"""Quantities as people write them: each row is one spelling, and what it means or why not."""

import math

import pytest
from pydantic import BaseModel, ValidationError

from simulator.model.units import Duration, Rate, Share, parse_duration_s, parse_rate_per_s, parse_share

DURATION = "must be a duration with its unit: us, ms, s, min, h, d or w, as 400ms"
RATE = "must be a rate with its unit: /s, /min, /h or /d, as 10/s"
SHARE = "must be a share from 0 to 1, or 0% to 100%"

DURATIONS = [
    ("7s", 7.0),
    ("400ms", 0.4),
    ("250us", 0.00025),
    ("5min", 300.0),
    ("2h", 7_200.0),
    ("7d", 604_800.0),
    ("1w", 604_800.0),
    ("1.5 min", 90.0),
    (" 3 s ", 3.0),
    ("1e3ms", 1.0),
    (0, 0.0),
    (0.0, 0.0),
]
NO_DURATIONS = ["7", 7, 1.5, "s", "7 sec", "7 s 3 ms", "", None, True, False, "8:30", "-", "1,5s", "٣s5"]
RATES = [("10/s", 10.0), ("600/min", 10.0), ("36000/h", 10.0), ("86400/d", 1.0), ("0.5 / s", 0.5)]
NO_RATES = ["10", 10, "10/w", "/s", "-1/s", "10 per s", None, ""]
SHARES = [(0, 0.0), (1, 1.0), (0.35, 0.35), ("35%", 0.35), ("0 %", 0.0), (" 99.5% ", 0.995)]
NO_SHARES = [1.01, -0.1, "101%", "-1%", "0.35", "x%", "nan%", "inf%", math.nan, True, None, [0.5]]


@pytest.mark.parametrize(("text", "seconds"), DURATIONS)
def test_durations(text, seconds):
    """A duration has a unit and becomes seconds; nothing but zero stands without one."""
    assert parse_duration_s(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", NO_DURATIONS)
def test_what_is_no_duration(text):
    """Anything else is refused with what is allowed."""
    with pytest.raises(ValueError, match="^" + DURATION + "$"):
        parse_duration_s(text)


@pytest.mark.parametrize(("text", "per_s"), RATES)
def test_rates(text, per_s):
    """A rate has a unit and becomes arrivals a second."""
    assert parse_rate_per_s(text) == pytest.approx(per_s)


@pytest.mark.parametrize("text", NO_RATES)
def test_what_is_no_rate(text):
    """Anything else is refused with what is allowed."""
    with pytest.raises(ValueError, match="^" + RATE + "$"):
        parse_rate_per_s(text)


@pytest.mark.parametrize(("value", "share"), SHARES)
def test_shares(value, share):
    """A share is a number from 0 to 1 or a percentage."""
    assert parse_share(value) == pytest.approx(share)


@pytest.mark.parametrize("value", NO_SHARES)
def test_what_is_no_share(value):
    """Anything else is refused with what is allowed."""
    with pytest.raises(ValueError, match="^" + SHARE + "$"):
        parse_share(value)


class Quantities(BaseModel):
    """One of each, as a file has them."""

    wait: Duration
    rate: Rate
    share: Share


def test_quantities_are_written_back_with_their_units():
    """A resolved file can be read back: durations and rates are serialised with their unit."""
    read = Quantities.model_validate({"wait": "1.5min", "rate": "600/min", "share": "35%"})
    assert read.model_dump(mode="json") == {"wait": "90s", "rate": "10/s", "share": 0.35}
    assert Quantities.model_validate(read.model_dump(mode="json")) == read


@pytest.mark.parametrize(
    ("key", "value", "text"),
    [("wait", "-1s", "must not be negative"), ("rate", "0/s", "must be above zero"), ("share", 2, SHARE)],
)
def test_quantities_of_a_file_have_limits(key, value, text):
    """A negative duration and a rate of nothing parse, and are no quantities of a file."""
    with pytest.raises(ValidationError) as error:
        Quantities.model_validate({"wait": "1s", "rate": "1/s", "share": 0.5} | {key: value})
    assert [item["msg"] for item in error.value.errors()] == [f"Value error, {text}"]
