"""H20: passkeys' answers that must be refused."""

import pytest

from simulator.storefront.passkeys import Checks
from simulator.storefront.rules import Rules
from simulator.target.probes.ceremonies import Passkey

CODES = {"H20"}


def test_a_lax_relying_party_is_found(probed, near):
    """An answer that is taken twice, from elsewhere, and of a copied key: each is found by itself."""
    every = probed("weak_passkey", codes=near)
    assert [code for code, one in every.items() if one.state == "violated"] == ["H20"]
    said = " ".join(one["says"] for one in every["H20"].samples)
    assert "given before" in said
    assert "attacker.example" in said
    assert "gone back" in said
    assert len(every["H20"].samples) == 3


@pytest.mark.parametrize("begun", [0, 9])
def test_a_right_one_refuses_five_wrong_answers(probed, begun):
    """Given before, of an earlier challenge, from elsewhere, forged, and of a copy."""
    found = probed(codes=CODES, run=f"run-{begun}")["H20"]
    assert found.state == "held"
    assert found.among.checked == 5


def test_each_weakness_is_found_alone(probed):
    """One check left out is one violation, and the right one."""
    for name, says in (("single_use", "given before"), ("origin", "attacker"), ("counter", "gone back")):
        lax = Rules(checks=Checks(**{name: False}))
        found = probed(rules=lax, codes=CODES)["H20"]
        assert [says in one["says"] for one in found.samples] == [True]


def test_where_the_right_ceremony_fails_nothing_is_said(probed, without):
    """A target whose ceremony cannot be completed is not observable, and not held."""
    broken = without({'credential: "{passkey.credential}"': 'credential: {id: "{passkey.credential?}"}'})
    assert probed(target=broken, codes=CODES)["H20"].state == "not observable"


def test_without_ceremonies_nothing_is_said(probed, tmp_path):
    """What is missing is named."""
    path = tmp_path / "plain.yaml"
    path.write_text('{"target": "plain", "operations": {"home": {"path": "/api/home"}}}')
    found = probed(target=str(path), codes=CODES)["H20"]
    assert found.state == "not observable"
    assert found.missing == ("auth_begin", "auth_finish")


def test_a_servers_own_fault_is_no_acceptance_and_no_refusal(people, seen, probe):
    """What breaks down over a wrong answer, or is too busy, has not been judged."""
    judged, one = probe(Passkey), people.somebody()
    for status in (500, 429, 0):
        script = judged.refused(one, seen(one, "auth_finish"), {}, "anything")
        next(script)
        with pytest.raises(StopIteration):
            script.send(seen(one, "auth_finish", status=status))
    assert not judged.counts
