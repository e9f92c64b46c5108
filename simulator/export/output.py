"""What a data set is made into: its format, compression, parts, and whether a table is one file or many."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simulator.export.made import Wanted
from simulator.export.parts import part
from simulator.model.faults import COMMAND_LINE, Fault
from simulator.runfolder.files import UNFINISHED
from simulator.runfolder.tables import suffix, usual_compression
from simulator.target.pools import pools_digest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulator.export.dirt import Dirt
    from simulator.runfolder.tables import Compression, Format


@dataclass(frozen=True, slots=True)
class Output:
    """How the tables become files; `also` names the parts besides the three tables, `compression` None is the usual.

    `dirt` is what goes wrong in the delivery, `blind` leaves the answers out.
    """

    kind: Format = "parquet"
    compression: Compression | None = None
    also: tuple[str, ...] = ()
    single_file: bool = False
    dirt: Dirt | None = None
    blind: bool = False

    @property
    def wanted(self) -> Wanted:
        """What is made of a shard besides its three tables."""
        return Wanted(self.also, self.dirt, self.blind)

    @property
    def squeezed(self) -> Compression:
        """The compression, the usual one named."""
        return self.compression or usual_compression(self.kind)

    @property
    def ending(self) -> str:
        """What the files' names end with."""
        return suffix(self.kind, self.squeezed)

    def part_file(self, table: str, shard: int) -> str:
        """Return the name, in the data set's folder, of one shard's rows of a table."""
        folder = f"{UNFINISHED}/parts/{table}" if self.single_file else table
        return f"{folder}/part-{shard:05d}.{self.ending}"

    def table_file(self, table: str) -> str:
        """Return the name of a table as a single file."""
        return f"{table}.{self.ending}"

    def settings(self) -> dict[str, Any]:
        """Return everything about the output that decides its bytes."""
        settings: dict[str, Any] = {
            "format": self.kind,
            "compression": self.squeezed,
            "parts": sorted(set(self.also)),
            "single_file": self.single_file,
            "without_answers": self.blind,
        }
        if self.dirt is not None:
            settings["dirt"] = self.dirt.model_dump(mode="json", exclude_none=True)
        if "people" in self.also:
            # Names change with Faker's releases, and only with them.
            settings["people_sha256"] = pools_digest()
        return settings

    def faults(self) -> list[Fault]:
        """Return what does not go together: a part whose tables are nested has no CSV."""
        wrong = [part(name) for name in dict.fromkeys(self.also) if self.kind not in part(name).formats]
        return [
            _fault(f"also {one.name}", f"cannot be written as {self.kind}", f"it has {' and '.join(one.formats)}",
                   f"leave it out, or give --format {one.formats[0]}")
            for one in wrong
        ]  # fmt: skip


def differences(there: Mapping[str, Any], here: Mapping[str, Any], file: str) -> list[Fault]:
    """Return a fault for each setting that an unfinished data set was begun with and that is another now."""
    old, new = _flat(there), _flat(here)
    names = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    if any(name.startswith("scenario.") for name in names):
        names.remove("digest")  # it follows from what is named
    hint = "give the options it was begun with, or another --out"
    return [
        _fault(name, "is not what it was", "the files behind the scenario were changed", "", file)
        if name == "digest"
        else _fault(name, f"is {_shown(new, name)} now", f"the data set was begun with {_shown(old, name)}", hint, file)
        for name in names
    ]


def _fault(path: str, found: str, allowed: str, hint: str, file: str = COMMAND_LINE) -> Fault:
    return Fault(file, 0, path, found, allowed, hint)


def _shown(settings: Mapping[str, Any], name: str) -> str:
    value = settings.get(name)
    return "nothing" if value in (None, [], "") else str(value)


def _flat(settings: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Return nested settings by dotted name."""
    flat: dict[str, Any] = {}
    for key, value in settings.items():
        name = f"{before}{key}"
        flat |= _flat(value, f"{name}.") if isinstance(value, dict) else {name: value}
    return flat
