"""The parts of LCP: what a played page is taken apart into is what the model put together."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.page.load import FCP_SCRIPT_SHARE, load_parts
from simulator.page.parts import LCP_PARTS, lcp_parts_s


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("blocking_s", [0.0, 0.35])
def test_parts_are_those_of_the_model(cards, first, blocking_s):
    """Server time before the first byte, script work and transfers come out as they went in, and sum to the load."""
    rng = np.random.default_rng(1)
    states = np.arange(len(cards.cards))
    rtt, kbps, loss = (
        rng.uniform(0.02, 0.3, len(states)),
        rng.uniform(400, 40_000, len(states)),
        rng.uniform(0, 0.02, len(states)),
    )
    promotion, slowdown, lcp_s, stalled = 0.1 if first else 0.0, 3.0, 0.2, 0.05
    fcp, load, script = (np.zeros(len(states)) for _ in range(3))
    for state, card in enumerate(cards.cards):
        wire, rest = load_parts(card, first, rtt[state], kbps[state], promotion, slowdown, False, loss[state])
        quick = load_parts(card, first, rtt[state], kbps[state], promotion, 0.0, False, loss[state])
        script[state] = wire + rest - sum(quick)
        fcp[state] = wire + stalled + blocking_s
        load[state] = fcp[state] + rest + lcp_s
    parts = lcp_parts_s(
        cards.cards, states, np.full(len(states), first), rtt, kbps, loss, np.full(len(states), promotion),
        np.full(len(states), stalled), np.full(len(states), blocking_s + lcp_s), fcp, load,
    )  # fmt: skip
    assert len(LCP_PARTS) == parts.shape[1]
    assert parts.sum(axis=1) == pytest.approx(load)
    assert parts[:, 3] == pytest.approx((1 - FCP_SCRIPT_SHARE) * script, abs=1e-9)
    setup = promotion + 3 * rtt if first else 0.0
    assert parts[:, 0] == pytest.approx(setup + rtt + stalled + blocking_s)
    assert (parts >= 0).all()
