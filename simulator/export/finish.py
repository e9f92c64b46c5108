"""What is left to make of a data set, and what makes it whole when nothing is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulator.export.effects import write_truth
from simulator.export.receipts import changed_files
from simulator.export.single import put_together
from simulator.journey.tables import TABLES
from simulator.runfolder.files import CannotWrite
from simulator.runfolder.manifest import write_manifest

if TYPE_CHECKING:
    from simulator.export.dataset import Job, Shard
    from simulator.export.receipts import Entry


def unmade(job: Job, numbers: range) -> list[Shard]:
    """Return the shards of these numbers that are not complete, every file of the others being as its receipt says.

    Raises `FileFaults` when the folder holds a data set that was begun with other settings, or one whose files changed
    after it was complete.
    """
    manifest = job.receipts.manifest()
    if manifest is not None:
        changed = changed_files(job.folder, manifest)
        if changed is not None:
            raise changed
        return []
    job.receipts.begin()
    mine = job.shards()[numbers.start : numbers.stop]
    return [shard for shard in mine if not job.receipts.is_complete(shard.number)]


def share(total: int, number: int, of: int) -> range:
    """Return which of `total` shards are part `number` (from 1) `of` so many; no two parts differ by more than one."""
    return range(total * (number - 1) // of, total * number // of)


def finish(job: Job) -> dict[str, Any] | None:
    """Write the manifest when every shard is complete, whoever made it, and return it; else None.

    Several processes may come here at once: they write the same. Raises `CannotWrite`.
    """
    manifest = job.receipts.manifest()
    if manifest is None:
        made = job.receipts.all(len(job.shards()))
        try:
            manifest = None if made is None else _complete(job, [entry for entries in made for entry in entries])
        except CannotWrite:
            # Another process may have been last, and have removed what this one was reading.
            manifest = job.receipts.manifest()
            if manifest is None:
                raise
    if manifest is None:
        # As above, while the receipts were counted.
        manifest = job.receipts.manifest()
    if manifest is not None:
        job.receipts.close()
    return manifest


def _complete(job: Job, listed: list[Entry]) -> dict[str, Any]:
    """Put the tables together where they are to be single files, and write the manifest."""
    names = [*TABLES, *sorted({str(entry["table"]) for entry in listed} - set(TABLES))]
    tables = {name: [entry for entry in listed if entry["table"] == name] for name in names}
    if job.output.single_file:
        tables = {name: [put_together(job.receipts, parts, job.output)] for name, parts in tables.items()}
    manifest = job.manifest(tables)
    if "truth" in job.output.also:
        write_truth(job.scenario, job.folder)
    write_manifest(manifest, job.folder)
    return manifest
