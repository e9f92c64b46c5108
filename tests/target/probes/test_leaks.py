"""H1: answers that hold somebody else's data."""


def test_a_page_kept_for_whoever_comes_next_is_a_leak(probed):
    """A cache that looks at the address alone is found by two shoppers who ask one after the other."""
    found = probed("leak")["H1"]
    assert found.state == "violated"
    assert found.blamed
    assert found.alone.violated >= 1
    first, second = found.samples[0]["first"], found.samples[0]["second"]
    assert first.startswith("curl ")
    assert second.startswith("curl ")
    assert "Authorization: Bearer" in first


def test_a_right_shop_leaks_nothing(probed):
    """Without the hazard the same requests show no leak, and say how many answers were compared."""
    found = probed()["H1"]
    assert found.state == "held"
    assert found.alone.checked > 10
    assert found.alone.high < 0.3
