"""Probes against the embedded shop through its ASGI door: no socket, no sleep; scripts play in virtual time."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import count

import httpx
import pytest

from simulator.storefront.app import build_app
from simulator.storefront.hazards import rules_with
from simulator.storefront.shop import open_shop
from simulator.target.probes.desk import Desk, Got
from simulator.target.probes.probing import Probing, findings
from simulator.target.probes.steps import AFTER, ALONE, AMONG, BEFORE, People
from simulator.target.request import load_target

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)


class ShopWire:
    """A shop in this process. Each request takes a millisecond of virtual time; `together` is one after the other."""

    def __init__(self, folder, hazards=(), seed=7, begin=NOON):
        self.begin = self.now = begin
        self.shop = open_shop(folder, seed, clock=lambda: self.now, rules=rules_with(hazards))
        self.app = build_app(self.shop)

    def send(self, visitor, request, *, bare):
        """Send a request with the visitor's own cookies, a bare one without any."""
        if visitor.line is None:
            visitor.line = httpx.Cookies()
        cookies = httpx.Cookies() if bare else visitor.line
        self.now += timedelta(milliseconds=1)
        answer, kept = asyncio.run(self._sent(request, cookies))
        if not bare:
            visitor.line = kept
        at_s = (self.now - self.begin).total_seconds()
        return Got(answer.status_code, dict(answer.headers), answer.content, "", at_s, 0.001)

    async def _sent(self, request, cookies):
        transport = httpx.ASGITransport(app=self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://shop.test", cookies=cookies) as client:
            answer = await client.request(
                request.method, request.url, headers=request.headers, content=request.body, follow_redirects=False
            )
            return answer, client.cookies

    def wait(self, seconds):
        """Let virtual time pass."""
        self.now += timedelta(seconds=seconds)

    def together(self, jobs):
        """Do one after the other: what needs requests that really overlap is tested over sockets."""
        return [job() for job in jobs]


@pytest.fixture
def probed(tmp_path):
    """Return a function that plays all scripts against a shop with hazards, and returns findings by code."""
    shops = count()

    def probed(*hazards, target="storefront", codes=None, among=2, begin=NOON):
        wire = ShopWire(tmp_path / f"shop-{next(shops)}", hazards, begin=begin)
        loaded = load_target(target)
        loaded.base_url = "http://shop.test"
        probing = Probing(loaded)
        people, desk = People(loaded, 7, "run-1"), Desk(loaded, wire, probing.see)
        scripts = [
            script for probe in probing.probes if codes is None or probe.code in codes for script in probe.scripts()
        ]
        for when in (BEFORE, ALONE, AMONG, AFTER):
            for script in scripts:
                rounds = among if when == AMONG else script.times if when == ALONE else 1
                for nth in range(rounds if when in script.when else 0):
                    desk.play(script, people, nth, alone=when != AMONG)
        found = {one.hazard.code: one for one in findings(loaded, [probing.state()])}
        return {code: one for code, one in found.items() if codes is None or code in codes}

    return probed
