"""One page load in a real browser: what it asked for, what its main thread did, and when a shopper could see it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, NamedTuple

from simulator.page.browser import BrowserError

if TYPE_CHECKING:
    from simulator.page.browser import Browser

SCREEN = {"width": 412, "height": 823, "deviceScaleFactor": 1.75, "mobile": True}
"""Lighthouse's phone (core/config/constants.js, moto g power)."""
QUIET_S = 1.0
"""A page is loaded when nothing has been on the way for so long after its load event."""
SETTLE_S = 1.0
"""A new window loads the browser's own pages (Chromium 156: the omnibox), which would compete with ours."""
WATCH = """(() => {
  const seen = self.__footfall = {lcp: null, shift: 0};
  new PerformanceObserver((list) => { for (const e of list.getEntries()) seen.lcp = {
    time: e.startTime, url: e.url || "", size: e.size, tag: e.element ? e.element.tagName : ""};
  }).observe({type: "largest-contentful-paint", buffered: true});
})();"""
READ = """JSON.stringify({
  navigation: performance.getEntriesByType("navigation")[0],
  paint: performance.getEntriesByType("paint"),
  resources: performance.getEntriesByType("resource"),
  lcp: self.__footfall && self.__footfall.lcp,
  agent: navigator.userAgent, origin: performance.timeOrigin})"""
BENCHMARK = """(() => {
  const strings = () => {
    const start = Date.now(); let n = 0;
    while (Date.now() - start < 500) { let s = ""; for (let j = 0; j < 10000; j++) s += "a"; n += s.length > 1; }
    return n / 10 / ((Date.now() - start) / 1000); };
  const copies = () => {
    const a = [], b = []; for (let i = 0; i < 100000; i++) a[i] = b[i] = i;
    const start = Date.now(); let n = 0;
    while (n % 10 || Date.now() - start < 500) {
      const from = n % 10 === 0 ? a : b, to = n % 10 === 0 ? b : a;
      for (let j = 0; j < from.length; j++) to[j] = from[j];
      n++; }
    return n / 10 / ((Date.now() - start) / 1000); };
  return (strings() + copies()) / 2; })()"""
"""Lighthouse's benchmark index (core/lib/page-functions.js, computeBenchmarkIndex): strings, then arrays."""
CATEGORIES = (
    "-*,devtools.timeline,disabled-by-default-devtools.timeline,disabled-by-default-lighthouse,loading,v8,toplevel"
)
READ_BYTES = 4 << 20


class Throttle(NamedTuple):
    """DevTools' own throttling of requests."""

    rtt_ms: float
    down_kbps: float
    up_kbps: float


@dataclass
class Visit:
    """What one load gave. Times are milliseconds from the navigation's start; None where it never happened."""

    ttfb_ms: float | None = None
    fcp_ms: float | None = None
    lcp_ms: float | None = None
    load_ms: float | None = None
    idle_ms: float | None = None
    lcp: dict[str, Any] | None = None
    resources: list[dict[str, Any]] = field(default_factory=list)
    network: list[dict[str, Any]] = field(default_factory=list)
    document: str = ""
    agent: str = ""
    trace: list[dict[str, Any]] = field(default_factory=list)


class _Tab:
    """A page in a browser context of its own: its cookies, cache and connections are its own, too."""

    def __init__(self, browser: Browser) -> None:
        self.browser = browser
        self.context = browser.call("Target.createBrowserContext")["browserContextId"]
        made = browser.call("Target.createTarget", {"url": "about:blank", "browserContextId": self.context})
        attached = browser.call("Target.attachToTarget", {"targetId": made["targetId"], "flatten": True})
        self.session = attached["sessionId"]
        sleep(SETTLE_S)

    def call(self, method: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
        return self.browser.call(method, params, self.session)

    def close(self) -> None:
        self.browser.call("Target.disposeBrowserContext", {"browserContextId": self.context})
        self.browser.events.clear()


def visit(
    browser: Browser,
    url: str,
    *,
    cpu: float = 1.0,
    throttle: Throttle | None = None,
    trace: bool = False,
    timeout_s: float = 120.0,
) -> Visit:
    """Load a page once, cold, and return what was seen. Raises `BrowserError` when it does not load in time."""
    tab = _Tab(browser)
    try:
        _prepare(tab, cpu, throttle)
        if trace:
            browser.call("Tracing.start", {"traceConfig": _trace_config(), "transferMode": "ReturnAsStream"})
        seen = Visit()
        answer = tab.call("Page.navigate", {"url": url})
        if answer.get("errorText"):
            raise BrowserError(f"{url}: {answer['errorText']}")
        _wait(tab, seen, timeout_s)
        if trace:
            seen.trace = _trace(browser, timeout_s)
            seen.document = _document(tab, seen)
        _read(tab, seen)
        return seen
    finally:
        tab.close()


def benchmark(browser: Browser) -> float:
    """Return Lighthouse's benchmark index of this machine now: a fast desktop has 1,500 to 2,000."""
    tab = _Tab(browser)
    try:
        value = tab.call("Runtime.evaluate", {"expression": BENCHMARK, "returnByValue": True})["result"]["value"]
    finally:
        tab.close()
    return float(value)


def _trace_config() -> dict[str, Any]:
    return {"includedCategories": CATEGORIES.split(",")[1:], "excludedCategories": ["*"]}


def _prepare(tab: _Tab, cpu: float, throttle: Throttle | None) -> None:
    for domain in ("Page", "Network"):
        tab.call(f"{domain}.enable")
    tab.call("Page.setLifecycleEventsEnabled", {"enabled": True})
    tab.call("Emulation.setDeviceMetricsOverride", SCREEN)
    tab.call("Emulation.setTouchEmulationEnabled", {"enabled": True})
    tab.call("Page.addScriptToEvaluateOnNewDocument", {"source": WATCH})
    if cpu > 1:
        tab.call("Emulation.setCPUThrottlingRate", {"rate": cpu})
    if throttle is not None:
        conditions = {
            "offline": False,
            "latency": throttle.rtt_ms,
            "downloadThroughput": throttle.down_kbps * 125,
            "uploadThroughput": throttle.up_kbps * 125,
        }
        tab.call("Network.emulateNetworkConditions", conditions)


def _wait(tab: _Tab, seen: Visit, timeout_s: float) -> None:
    """Gather network events until the page has been quiet for a while after its load event."""
    open_requests: set[str] = set()
    loaded, until, quiet_at = False, monotonic() + timeout_s, 0.0
    while True:
        quiet = loaded and not open_requests
        event = tab.browser.next_event(min(until, quiet_at) if quiet else until)
        if event is None:
            if quiet:
                return
            raise BrowserError(f"the page was not loaded within {timeout_s:g} s")
        if event.get("sessionId") != tab.session:
            continue
        method, params = event["method"], event["params"]
        if method.startswith("Network."):
            seen.network.append(event)
            _count(method, params, open_requests)
            quiet_at = monotonic() + QUIET_S
        elif method == "Page.loadEventFired":
            loaded, quiet_at = True, monotonic() + QUIET_S
        elif method == "Inspector.targetCrashed":
            raise BrowserError("the page crashed the browser")


def _count(method: str, params: dict[str, Any], open_requests: set[str]) -> None:
    if method == "Network.requestWillBeSent" and not params["request"]["url"].startswith(("data:", "blob:")):
        open_requests.add(params["requestId"])
    elif method in {"Network.loadingFinished", "Network.loadingFailed"}:
        open_requests.discard(params["requestId"])


def _trace(browser: Browser, timeout_s: float) -> list[dict[str, Any]]:
    browser.call("Tracing.end")
    done = browser.wait_for(lambda event: event["method"] == "Tracing.tracingComplete", timeout_s)
    handle, parts = done["params"]["stream"], []
    while True:
        part = browser.call("IO.read", {"handle": handle, "size": READ_BYTES})
        parts.append(part["data"])
        if part["eof"]:
            break
    browser.call("IO.close", {"handle": handle})
    text = json.loads("".join(parts))
    events: list[dict[str, Any]] = text["traceEvents"] if isinstance(text, dict) else text
    return events


def _document(tab: _Tab, seen: Visit) -> str:
    """Return the document's text, or nothing where the browser no longer has it."""
    first = next((e["params"] for e in seen.network if e["method"] == "Network.requestWillBeSent"), None)
    try:
        return str(tab.call("Network.getResponseBody", {"requestId": first["requestId"]})["body"]) if first else ""
    except BrowserError:
        return ""


def _read(tab: _Tab, seen: Visit) -> None:
    """Read the page's own timings."""
    value = tab.call("Runtime.evaluate", {"expression": READ, "returnByValue": True})["result"].get("value")
    found = json.loads(value) if value else {}
    navigation = found.get("navigation") or {}
    paints = {entry["name"]: entry["startTime"] for entry in found.get("paint", ())}
    seen.ttfb_ms = navigation.get("responseStart") or None
    seen.load_ms = navigation.get("loadEventEnd") or None
    seen.fcp_ms = paints.get("first-contentful-paint")
    seen.lcp = found.get("lcp")
    seen.lcp_ms = seen.lcp["time"] if seen.lcp else None
    seen.resources, seen.agent = found.get("resources", []), found.get("agent", "")
    ends = [entry["responseEnd"] for entry in seen.resources] + [navigation.get("responseEnd", 0.0)]
    seen.idle_ms = max([*ends, seen.load_ms or 0.0]) or None
