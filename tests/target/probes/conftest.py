"""Probes against the embedded shop through its ASGI door: no socket, no sleep; scripts play in virtual time."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import count

import httpx
import orjson
import pytest
from ruamel.yaml import YAML

from simulator.storefront.app import build_app
from simulator.storefront.hazards import rules_with
from simulator.storefront.shop import open_shop
from simulator.target.probes.desk import Desk, Got
from simulator.target.probes.probing import Probing, findings
from simulator.target.probes.steps import AFTER, ALONE, AMONG, BEFORE, Ask, People
from simulator.target.reading import target_path
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

    def now_ms(self):
        """Return virtual time."""
        return round(self.now.timestamp() * 1_000)

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
        return played(loaded, wire, codes, among)

    return probed


def played(target, wire, codes=None, among=2, countries=None):
    """Play the scripts of all probes, or of those with some codes, on a wire; return the findings by code."""
    probing = Probing(target)
    people = People(target, 7, "run-1", **({"countries": countries} if countries else {}))
    desk = Desk(target, wire, probing.see)
    scripts = [script for probe in probing.probes if codes is None or probe.code in codes for script in probe.scripts()]
    for when in (BEFORE, ALONE, AMONG, AFTER):
        for script in scripts:
            rounds = among if when == AMONG else script.times if when == ALONE else 1
            for nth in range(rounds if when in script.when else 0):
                desk.play(script, people, nth, alone=when != AMONG)
    found = {one.hazard.code: one for one in findings(target, [probing.state()])}
    return {code: one for code, one in found.items() if codes is None or code in codes}


class ToyWire:
    """A shop that is one function of (visitor, request) and returns (status, document)."""

    def __init__(self, answer):
        self.answer, self.now_s = answer, 0.0

    def send(self, visitor, request, *, bare):
        """Ask the function; a request takes a millisecond of virtual time."""
        del bare
        self.now_s += 0.001
        status, document = self.answer(visitor, request)
        return Got(status, {}, orjson.dumps(document), "", self.now_s, 0.001)

    def wait(self, seconds):
        """Let virtual time pass."""
        self.now_s += seconds

    def now_ms(self):
        """Return virtual time."""
        return round(NOON.timestamp() * 1_000 + self.now_s * 1_000)

    def together(self, jobs):
        """Do one after the other."""
        return [job() for job in jobs]


@pytest.fixture
def toy(target_of):
    """Return a function that plays scripts of some codes against a shop that is a function.

    It takes the target's operations as YAML, the function, and the codes; it returns the finding of the first.
    """

    def toy(operations, answer, *codes, head="", **others):
        return played(target_of(operations, head), ToyWire(answer), set(codes), **others)[codes[0]]

    return toy


@pytest.fixture
def seen_by(target_of):
    """Return a function that shows a probe some answers, and returns the probe.

    It takes the probe's code, the target's operations as YAML, and a list for each visitor: (operation, document), or
    seconds to wait. Visitors come one after the other.
    """

    def seen_by(code, operations, *visits, head=""):
        target = target_of(operations, head)
        answers = iter([step[1] for visit in visits for step in visit if isinstance(step, tuple)])
        probing, wire = Probing(target), ToyWire(lambda _visitor, _request: (200, next(answers)))
        people, desk = People(target, 7, "run-1"), Desk(target, wire, probing.see)
        for visit in visits:
            visitor = people.somebody()
            for step in visit:
                if isinstance(step, tuple):
                    assert desk.ask(Ask(visitor, step[0]), alone=True) is not None
                else:
                    wire.wait(step)
        return next(probe for probe in probing.probes if probe.code == code)

    return seen_by


@pytest.fixture
def lacking(tmp_path):
    """Return a function that writes the shop's target file without some evidence, and returns its path."""

    def lacking(*evidence, readings=True):
        yaml = YAML()
        spec = yaml.load(target_path("storefront"))
        for rest in spec["operations"].values():
            for name in evidence:
                rest.get("evidence", {}).pop(name, None)
        if not readings:
            del spec["readings"]
        path = tmp_path / "lacking.yaml"
        yaml.dump(spec, path)
        return str(path)

    return lacking
