"""H23: language and currency of the shopper's place."""


def test_prices_in_the_shops_own_currency_are_found(probed):
    """Whoever is shown pounds in Germany is in the wrong market."""
    found = probed("wrong_currency", codes={"H23"})["H23"]
    assert found.blamed
    assert any(part[0] == "currency" for one in found.samples for part in one["differs"])


def test_every_market_is_right_in_a_right_shop(probed):
    """Four markets, no violation."""
    assert probed(codes={"H23"})["H23"].state == "held"
