"""H23: language and currency of the shopper's place."""

from simulator.target.probes.market import Market


def test_prices_in_the_shops_own_currency_are_found(probed):
    """Whoever is shown pounds in Germany is in the wrong market."""
    found = probed("wrong_currency", codes={"H23"})["H23"]
    assert found.blamed
    assert any(part[0] == "currency" for one in found.samples for part in one["differs"])


def test_whoever_never_said_where_they_are_may_be_shown_any_market(people, seen, probe):
    """An answer to somebody without a session is not judged; the same answer to who has one is."""
    market, visitor = probe(Market), people.somebody(country="DE")
    market.see(seen(visitor, "home", evidence={"currency": "GBP"}))
    assert not market.counts
    visitor.context.made.add("session")
    market.see(seen(visitor, "home", evidence={"currency": "GBP"}))
    assert market.samples


def test_every_market_is_right_in_a_right_shop(probed):
    """Four markets, no violation."""
    assert probed(codes={"H23"})["H23"].state == "held"
