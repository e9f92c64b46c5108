"""What a visit's templates may name is there when it is asked for, however it is asked for, and made up no earlier."""

from __future__ import annotations

import pytest

from simulator.target.values import Values


@pytest.fixture
def asked():
    """Return the names that had to be found out."""
    return []


@pytest.fixture
def values(asked):
    """Return values of which `name` and `mail` are found out together, and others are not."""

    def later(_known, name):
        asked.append(name)
        return {"name": "Ada", "mail": "ada@shopper.example"} if name in {"name", "mail"} else {}

    return Values({"number": 7}, later)


def test_nothing_is_found_out_before_it_is_asked_for(values, asked):
    """What stands there needs no finding out, and nothing else is found out alongside."""
    assert (values["number"], values.get("number"), "number" in values) == (7, 7, True)
    assert (asked, set(values)) == ([], {"number"})


@pytest.mark.parametrize("ask", [lambda v: v["name"], lambda v: v.get("name"), lambda v: "name" in v and v["name"]])
def test_each_way_of_asking_finds_it_out(values, asked, ask):
    """By index, by `get` and by `in`, a value is found out, once, with what comes with it."""
    assert ask(values) == "Ada"
    assert values["mail"] == "ada@shopper.example"
    assert asked == ["name"]


def test_what_nobody_knows_is_not_there(values):
    """A field without a value raises its name, is not in, and gives way to a default."""
    with pytest.raises(KeyError, match="phone"):
        values["phone"]
    assert "phone" not in values
    assert (values.get("phone"), values.get("phone", "none")) == (None, "none")
