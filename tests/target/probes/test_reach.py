"""How scripts get to where they ask, and that they cost what they say."""

import pytest

from simulator.target.probes.desk import Desk
from simulator.target.probes.probing import Probing
from simulator.target.probes.reach import reach, request_count
from simulator.target.probes.steps import Ask, People
from simulator.target.request import load_target


def test_what_a_request_needs_is_asked_for_first(people):
    """A member's points need their account, which a login tells; what is known is not asked for again."""
    visitor = people.somebody()
    script = reach(people.target, visitor, "loyalty_balance")
    assert next(script) == Ask(visitor, "login")
    visitor.context.values["extracted.account"] = "acct_1"
    with pytest.raises(StopIteration):
        next(script)
    assert list(reach(people.target, visitor, "loyalty_balance")) == []


def test_what_nobody_tells_is_not_asked_for_endlessly(people):
    """Operations that need one another end."""
    asked = list(reach(people.target, people.somebody(), "loyalty_redeem"))
    assert len(asked) < 20


def test_a_model_costs_what_leads_to_it(people):
    """A list, a product, the model."""
    assert request_count(people.target, "ar_asset") == 3
    assert request_count(people.target, "home") == 1


def test_each_run_and_part_has_its_own_people():
    """Who comes to probe is new to the target, in every run, process and phase."""
    target = load_target("storefront")
    ids = {
        People(target, 7, run, part=part).somebody().number
        for run in ("run-1", "run-2")
        for part in ("0 alone", "0 among", "1 among")
    }
    assert len(ids) == 6
    assert all(1 << 40 <= number < 1 << 48 for number in ids)


def test_scripts_cost_no_more_than_they_say(probed, monkeypatch):
    """The most requests of every script, in a right shop, is not below what it takes; all of them once stay cheap."""
    took = {}
    play = Desk.play

    def counted(self, script, people, nth, *, alone):
        before = self.requests
        play(self, script, people, nth, alone=alone)
        took[script.name, script.cost] = max(took.get((script.name, script.cost), 0), self.requests - before)

    monkeypatch.setattr(Desk, "play", counted)
    probed(codes={"H1", "H2", "H6", "H13", "H16", "H19", "H20", "H21"}, among=1)
    assert not {name: (cost, spent) for (name, cost), spent in took.items() if spent > cost}
    assert sum(took.values()) < 110


def test_probes_ask_for_nothing_where_nothing_is_mapped(tmp_path):
    """A target with one operation that nobody knows anything of has scripts that cost next to nothing."""
    path = tmp_path / "plain.yaml"
    path.write_text('{"target": "plain", "operations": {"track": {"path": "/collect"}}}')
    assert sum(script.cost for script in Probing(load_target(str(path))).scripts()) == 0
