"""H21: whether a 3-D model is one that the phone can show, comes in parts, and is no larger than promised."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from simulator.target.probes.probe import Difference, Probe
from simulator.target.probes.reach import reach, request_count
from simulator.target.probes.steps import Ask, Script

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from simulator.target.probes.seen import Seen
    from simulator.target.probes.steps import People

PART_BYTES = 1_024
WHOLE, PART = 200, 206
PLATFORMS = ("ios", "android")
_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")


class Format(NamedTuple):
    """A format of models: how its bytes begin, its media types, which platform shows it, how its files are called."""

    name: str
    magic: bytes
    types: tuple[str, ...]
    platform: str
    endings: tuple[str, ...]


FORMATS = (
    # glTF 2.0, section 4.4.1 and IANA's registrations; AR Quick Look takes USDZ, Scene Viewer and WebXR take glTF.
    Format("GLB", b"glTF", ("model/gltf-binary",), "android", (".glb",)),
    Format("USDZ", b"PK\x03\x04", ("model/vnd.usdz+zip", "model/usd"), "ios", (".usdz",)),
    Format("glTF", b"{", ("model/gltf+json",), "android", (".gltf",)),
)
UNTYPED = ("", "application/octet-stream", "binary/octet-stream", "application/zip")
"""Types that say nothing, which phones forgive."""


@dataclass(slots=True)
class Model(Probe):
    """A phone is sent the format of its platform, with its media type, in parts if it asks for one.

    A file that is asked for by name, as `chair.glb`, is judged on the platform that shows it; what is no model at all,
    as a description of where one is, is not judged.
    """

    code: ClassVar[str] = "H21"

    def see(self, seen: Seen) -> None:
        """Look at a model that the load fetched."""
        if seen.operation == "ar_asset" and not seen.error and not seen.odd:
            self._judge(seen, len(seen.body))

    def scripts(self) -> Iterable[Script]:
        """Ask for the beginning of a model, as each platform."""
        target = self.ground.target
        if "ar_asset" not in target.operations:
            return

        def play(people: People, nth: int) -> Generator[Any, Any, None]:
            visitor = people.somebody(platform=PLATFORMS[nth % 2])
            visitor.context.turn_to(None, nth // 2)
            yield from reach(target, visitor, "ar_asset")
            seen: Seen | None = yield Ask(visitor, "ar_asset", headers={"Range": f"bytes=0-{PART_BYTES - 1}"})
            if seen is not None and seen.status in (WHOLE, PART) and _format_of(seen) is not None:
                self._part(seen)

        cost = len(target.opening) + request_count(target, "ar_asset")
        yield Script("model", cost, play, times=len(PLATFORMS))

    def _part(self, seen: Seen) -> None:
        """Judge an answer to who asked for the first bytes only."""
        told = _RANGE.fullmatch(seen.headers.get("content-range", "").strip())
        total = int(told[3]) if told else len(seen.body)
        due = min(PART_BYTES, total)
        held = seen.status == PART and told is not None and told[1] == "0" and len(seen.body) == due
        differs = () if held else (Difference("status and bytes", [seen.status, len(seen.body)], [PART, due]),)
        self.check(seen, held, "ar_asset sent the whole model to who asked for its beginning", differs=differs)
        self._judge(seen, total)

    def _judge(self, seen: Seen, total_bytes: int) -> None:
        """Judge format, media type and size."""
        form = _format_of(seen)
        if form is None:
            return
        platform, named = seen.visitor.platform, _named(seen)
        if named is None or named.platform == platform:
            held = form.platform == platform
            differs = () if held else (Difference(f"format for {platform}", form.name, _due(platform)),)
            self.check(seen, held, f"ar_asset sent {form.name} to {platform}", differs=differs)
        kind = _kind(seen)
        held = kind in (*form.types, *UNTYPED)
        differs = () if held else (Difference("content-type", kind, form.types[0]),)
        self.check(seen, held, f"ar_asset calls {form.name} {kind}", differs=differs)
        most = self.ground.promises.model_bytes
        held = total_bytes <= most
        differs = () if held else (Difference("bytes", total_bytes, f"at most {most}"),)
        self.check(seen, held, "ar_asset is larger than promised", differs=differs)


def _kind(seen: Seen) -> str:
    return seen.headers.get("content-type", "").partition(";")[0].strip().lower()


def _format_of(seen: Seen) -> Format | None:
    """Return the format that the first bytes are of, JSON only by its type; None of what is no model."""
    found = next((form for form in FORMATS if seen.body.startswith(form.magic)), None)
    if found is None or (found.magic == b"{" and _kind(seen) not in found.types):
        return None
    return found


def _named(seen: Seen) -> Format | None:
    """Return the format that the request names."""
    url = seen.request.url.lower()
    return next((form for form in FORMATS for end in form.endings if end in url), None)


def _due(platform: str) -> str:
    return next(form.name for form in FORMATS if form.platform == platform)
