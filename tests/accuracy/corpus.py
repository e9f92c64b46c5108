"""The corpus: shop pages made from a design, the same bytes every time.

A template fixes a page's structure; its three sizes change weights, counts and server times. Whole templates are held
out for testing, so that no page which was tuned on is tested.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Literal

LcpKind = Literal["image", "image_high", "image_late", "text", "text_late"]


@dataclass(frozen=True)
class Page:
    """One page. Sizes are kB on the wire, waits are the server's milliseconds."""

    template: str
    size: int
    protocol: Literal["h1", "h2"] = "h1"
    wait_ms: int = 60
    """The document's."""
    styles_kb: tuple[int, ...] = (20,)
    fonts: int = 0
    sync_kb: tuple[int, ...] = ()
    defer_kb: tuple[int, ...] = ()
    async_kb: tuple[int, ...] = ()
    chain: tuple[int, ...] = ()
    """Scripts in kB of which each loads the next; the first is loaded by the last deferred script."""
    calls_ms: tuple[int, ...] = ()
    """API calls by the last deferred script, by the server's time."""
    images_kb: tuple[int, ...] = ()
    lcp: LcpKind = "text"
    hero_kb: int = 0
    cards: int = 12
    work: float = 1.0
    """Script work a kB, against the reference."""
    extras: dict[str, int] = field(default_factory=dict, hash=False)

    @property
    def name(self) -> str:
        """Return the page's name, which is also its path."""
        return f"{self.template}-{self.size}"

    @property
    def url(self) -> str:
        """Return where the shop serves it."""
        return f"{origin('shop', self.protocol)}/{self.name}/"


def origin(host: str, protocol: str) -> str:
    """Return an origin: HTTP/2 needs TLS in browsers."""
    return f"{'https' if protocol == 'h2' else 'http'}://{host}.test"


def images(count: int, kb: int) -> tuple[int, ...]:
    """Return `count` images around `kb`."""
    return tuple(max(3, kb * (7 + i % 7) // 10) for i in range(count))


BASE = (
    Page("plain", 0, lcp="text", images_kb=images(6, 15)),
    Page("home", 0, styles_kb=(18, 40), fonts=2, defer_kb=(90, 60), chain=(40, 15), calls_ms=(80, 150),
         images_kb=images(16, 18), lcp="image", hero_kb=120, wait_ms=80),
    Page("search", 0, styles_kb=(25, 12), fonts=1, defer_kb=(120,), images_kb=images(22, 14), lcp="text", wait_ms=120,
         async_kb=(30,), cards=24),
    Page("product", 0, styles_kb=(30,), sync_kb=(25,), defer_kb=(110, 40), calls_ms=(200,), images_kb=images(12, 22),
         lcp="image_high", hero_kb=180, wait_ms=100),
    Page("recs", 0, styles_kb=(20,), defer_kb=(100,), calls_ms=(300,), images_kb=images(8, 16), lcp="image_late",
         hero_kb=110, wait_ms=60),
    Page("app", 0, styles_kb=(15,), defer_kb=(300,), chain=(60, 40, 30), calls_ms=(120, 250), lcp="text_late",
         wait_ms=30, images_kb=images(4, 20), cards=4),
    Page("h2home", 0, "h2", styles_kb=(18, 40), fonts=2, defer_kb=(90, 60), chain=(40, 15), calls_ms=(80,),
         images_kb=images(20, 18), lcp="image", hero_kb=120, wait_ms=80),
    Page("h2list", 0, "h2", styles_kb=(25,), defer_kb=(140,), async_kb=(40, 30), images_kb=images(30, 12), lcp="text",
         wait_ms=150, cards=30),
    Page("h2app", 0, "h2", styles_kb=(15,), defer_kb=(260,), chain=(80, 30), calls_ms=(200,), lcp="image_late",
         hero_kb=90, images_kb=images(6, 16), wait_ms=40),
    Page("article", 0, styles_kb=(22,), fonts=3, async_kb=(60, 35), images_kb=images(7, 35), lcp="image",
         hero_kb=140, wait_ms=50, cards=6),
    Page("category", 0, styles_kb=(16, 24), sync_kb=(45,), defer_kb=(70, 70), calls_ms=(400,), lcp="text",
         images_kb=images(26, 15), wait_ms=220, cards=26),
    Page("landing", 0, "h2", styles_kb=(35,), fonts=2, sync_kb=(20,), defer_kb=(50,), async_kb=(45,),
         images_kb=images(9, 40), lcp="image_high", hero_kb=220, wait_ms=90),
    Page("deals", 0, styles_kb=(12, 12, 12), defer_kb=(160,), chain=(30, 25, 20, 15), calls_ms=(600,), lcp="image_late",
         hero_kb=130, images_kb=images(14, 17), wait_ms=70),
)  # fmt: skip
TEST_TEMPLATES = ("product", "h2list", "category", "landing", "deals")
"""Never looked at while the model is tuned."""
SIZES = (
    {"weight": 1.0, "count": 1.0, "wait": 1.0, "work": 1.0},
    {"weight": 0.5, "count": 0.5, "wait": 0.5, "work": 0.6},
    {"weight": 1.8, "count": 2.2, "wait": 1.6, "work": 1.0},
)


def _sized(base: Page, size: int) -> Page:
    by = SIZES[size]

    def scaled(values: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(max(2, round(value * by["weight"])) for value in values)

    return replace(
        base,
        size=size,
        wait_ms=round(base.wait_ms * by["wait"]),
        styles_kb=scaled(base.styles_kb),
        sync_kb=scaled(base.sync_kb),
        defer_kb=scaled(base.defer_kb),
        async_kb=scaled(base.async_kb),
        chain=scaled(base.chain),
        calls_ms=tuple(min(1_000, round(value * by["wait"])) for value in base.calls_ms),
        images_kb=images(round(len(base.images_kb) * by["count"]), base.images_kb[0] * 10 // 7),
        hero_kb=round(base.hero_kb * by["weight"]),
        cards=round(base.cards * by["count"]),
        work=base.work * by["work"],
    )


PAGES = tuple(_sized(base, size) for base in BASE for size in range(len(SIZES)))


def is_test(template: str) -> bool:
    """Return whether a template is held out."""
    return template in TEST_TEMPLATES


def noise(seed: str, size: int) -> bytes:
    """Return bytes that do not compress, always the same."""
    return hashlib.shake_128(seed.encode()).digest(size)


@cache
def picture(seed: str, kb: int) -> bytes:
    """Return a grey PNG of about `kb`, as wide as high, which no compression makes smaller."""
    side = max(8, int((kb * 1_000 - 80) ** 0.5) - 1)
    raw = noise(seed, side * side)
    rows = b"".join(b"\0" + raw[y * side : (y + 1) * side] for y in range(side))

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows, 1)) + chunk(b"IEND", b"")


@cache
def script(seed: str, kb: int, work: float, after: str) -> bytes:
    """Return a script of about `kb` whose functions all run, about 0.4 ms of work a kB, and then `after`."""
    parts, size, index = ["(() => { let total = 0;\n"], 0, 0
    loops = max(1, round(9_000 * work))
    while size < kb * 1_000 - len(after) - 60:
        label = noise(f"{seed}{index}", 360).hex()
        part = (
            f"function work{index}(n) {{ const at = '{label}'; let sum = n;\n"
            f"  for (let i = 0; i < {loops}; i++) {{ sum = (sum * 31 + at.charCodeAt(i % at.length) + i) % 65521; }}\n"
            f"  return sum; }}\ntotal += work{index}({index});\n"
        )
        parts.append(part)
        size, index = size + len(part), index + 1
    return "".join([*parts, f"window.total = total;\n{after}\n}})();\n"]).encode()


@cache
def sheet(seed: str, kb: int) -> bytes:
    """Return a style sheet of about `kb`; rules that match nothing are most of it, as in shops."""
    rules = (
        "body{margin:0;font:16px/1.4 sans-serif}.card{padding:8px;border-bottom:1px solid #ddd;min-height:90px}"
        ".card img{width:80px;height:80px}.hero{width:100%;max-width:412px;display:block}p.lead{font-size:22px}\n"
    )
    parts = [rules]
    size, index = len(parts[0]), 0
    while size < kb * 1_000:
        name, colour = noise(f"{seed}{index}", 12).hex(), noise(f"{index}{seed}", 3).hex()
        part = f".x{name} .y{index}{{color:#{colour};margin:{index}px}}\n"
        parts.append(part)
        size, index = size + len(part), index + 1
    return "".join(parts).encode()
