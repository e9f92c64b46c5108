"""Probes against the embedded shop through its ASGI door: no socket, no sleep; scripts play in virtual time."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import count
from types import SimpleNamespace

import httpx
import orjson
import pytest
from ruamel.yaml import YAML

from simulator.model.library import library_folder
from simulator.storefront.app import build_app
from simulator.storefront.hazards import rules_with
from simulator.storefront.shop import open_shop
from simulator.target.call import Request
from simulator.target.probes.desk import Desk, Got
from simulator.target.probes.probe import Ground
from simulator.target.probes.probing import Probing, findings
from simulator.target.probes.seen import Seen
from simulator.target.probes.steps import AFTER, ALONE, AMONG, BEFORE, Ask, People
from simulator.target.reading import target_path
from simulator.target.request import Target, load_target
from simulator.target.schema import TargetFile

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)


class AppWire:
    """An application in this process. A request takes a millisecond of virtual time; `together` is one by one."""

    def __init__(self, app, begin=NOON):
        self.begin = self.now = begin
        self.app = app

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
        # As the live transport has it: lines of cookies are no list with commas.
        headers = dict(answer.headers) | {"set-cookie": "\n".join(answer.headers.get_list("set-cookie"))}
        if not headers["set-cookie"]:
            del headers["set-cookie"]
        sent = answer.request.headers.get("cookie", "")
        return Got(int(answer.status_code), headers, answer.content, "", at_s, 0.001, lambda: sent)

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


class ShopWire(AppWire):
    """A shop in this process."""

    def __init__(self, folder, hazards=(), seed=7, begin=NOON, rules=None):
        super().__init__(None, begin)
        self.shop = open_shop(folder, seed, clock=lambda: self.now, rules=rules or rules_with(hazards))
        self.app = build_app(self.shop)


@pytest.fixture
def changed():
    """Return a function that compiles the embedded shop's target file after a change to its data."""

    def changed(change):
        data = load_target("storefront").file.model_dump(by_alias=True, exclude_unset=True)
        change(data)
        return Target(TargetFile.model_validate(data))

    return changed


@pytest.fixture
def opened(tmp_path):
    """Return a function that opens a shop with hazards: its `desk`, `people` and `probing`, and what is `found`."""
    shops = count()

    def opened(*hazards, target="storefront", begin=NOON):
        wire = ShopWire(tmp_path / f"shop-{next(shops)}", hazards, begin=begin)
        loaded = load_target(target) if isinstance(target, str) else target
        loaded.base_url = "http://shop.test"
        probing = Probing(loaded)

        def found():
            return {one.hazard.code: one for one in findings(loaded, [probing.state()])}

        desk = Desk(loaded, wire, probing.see)
        return SimpleNamespace(wire=wire, probing=probing, people=People(loaded, 7, "run-1"), desk=desk, found=found)

    return opened


@pytest.fixture
def probed(tmp_path):
    """Return a function that plays all scripts (of some codes) against a shop with hazards; it returns findings."""
    shops = count()

    def probed(*hazards, target="storefront", codes=None, among=2, begin=NOON, run="run-1", rules=None, countries=None):
        wire = ShopWire(tmp_path / f"shop-{next(shops)}", hazards, begin=begin, rules=rules)
        loaded = load_target(target) if isinstance(target, str) else target
        loaded.base_url = "http://shop.test"
        return played(loaded, wire, codes, among, countries, run)

    return probed


@pytest.fixture
def without(tmp_path):
    """Return a function that writes the shop's own target file with some texts in it replaced, and returns its path."""
    files = count()

    def write(replaced):
        text = (library_folder("locustfiles/targets") / "storefront.yaml").read_text("utf-8")
        for old, new in replaced.items():
            assert old in text, f"{old!r} stands in no target file"
            text = text.replace(old, new)
        path = tmp_path / f"target-{next(files)}.yaml"
        path.write_text(text, "utf-8")
        return str(path)

    return write


@pytest.fixture
def bazaar(tmp_path, beside):
    """Return a function that plays all scripts (of some codes) against another shop than ours; it returns findings."""
    other = beside("bazaar")

    def bazaar(*wrong, odd=(), codes=None, **changed):
        loaded = load_target(other.target_file(tmp_path, **changed))
        loaded.base_url = "http://shop.test"
        return played(loaded, AppWire(other.Bazaar(*wrong, odd=odd).app()), codes)

    return bazaar


@pytest.fixture
def people():
    """Return visitors to the embedded shop."""
    return People(load_target("storefront"), 7, "run-1")


@pytest.fixture
def seen():
    """Return a function that makes an answer as probes see it."""

    def seen(visitor, operation, *, status=200, headers=None, body=b"{}", evidence=None, sent=None, url="/", cookie=""):
        request = Request(operation, "GET", url, sent or {}, None, 1.0, frozenset((200,)))
        error = "" if status < 400 else f"status {status}"
        return Seen(
            visitor, operation, request, status, headers or {}, body, evidence or {}, error, 0.0, 0.0,
            alone=True, cookie=lambda: cookie,
        )  # fmt: skip

    return seen


@pytest.fixture
def probe(people):
    """Return a function that makes a probe of a kind that stands on the embedded shop's file."""
    return lambda kind: kind(Ground(people.target, people.target.file.promises))


@pytest.fixture
def near():
    """Return the hazards that one defect might be taken for."""
    return {"H1", "H2", "H6", "H13", "H16", "H19", "H20", "H21", "H23"}


def played(target, wire, codes=None, among=2, countries=None, run="run-1"):
    """Play the scripts of all probes, or of those with some codes, on a wire; return the findings by code."""
    probing = Probing(target)
    people = People(target, 7, run, **({"countries": countries} if countries else {}))
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
        for rest in (*spec["operations"].values(), *spec["readings"].values()):
            for name in evidence:
                rest.get("evidence", {}).pop(name, None)
        if not readings:
            del spec["readings"]
        path = tmp_path / "lacking.yaml"
        yaml.dump(spec, path)
        return str(path)

    return lacking


@pytest.fixture
def nonsense():
    """Return a function that plays all scripts against what answers everything with the same bytes."""

    def nonsense(answer):
        async def app(_scope, _receive, send):
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": answer})

        loaded = load_target("storefront")
        loaded.base_url = "http://shop.test"
        return played(loaded, AppWire(app))

    return nonsense
