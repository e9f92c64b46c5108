"""`footfall generate`: the crowd world as test data."""

from __future__ import annotations

import re
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from simulator.cli import options
from simulator.cli.exits import fail
from simulator.export.parts import MODULES
from simulator.runfolder.files import CannotWrite

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping

    from simulator.export.dataset import Job, Shard, Written
    from simulator.export.output import Output
    from simulator.runfolder.tables import Compression, Format

    Make = Callable[[Job, list[Shard]], Generator[Written]]


class PartOf(click.ParamType[tuple[int, int]]):
    """A part of the whole as `3/64`: the third of sixty-four."""

    name = "K/N"

    def convert(
        self, value: str | tuple[int, int], param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int]:
        """Return (which, of how many)."""
        if isinstance(value, tuple):
            return value
        found = re.fullmatch(r"([1-9]\d{0,8})/([1-9]\d{0,8})", value)
        if not found or int(found[1]) > int(found[2]):
            self.fail(f"{value} is no part of a whole; give it as 3/64, from 1/64 to 64/64", param, ctx)
        return int(found[1]), int(found[2])


@click.command("generate", short_help="Write synthetic journeys as test data.")
@options.scenario("demo")
@click.option("--shoppers", type=click.IntRange(1, 2**40), help="How many; overrides the scenario's.")
@options.out("data")
@click.option(
    "--format",
    "kind",
    type=click.Choice(["parquet", "csv", "jsonl"]),
    default="parquet",
    show_default=True,
    help="Format of the tables.",
)
@click.option(
    "--compression",
    type=click.Choice(["none", "gzip", "zstd"]),
    help="Of the tables; by default Parquet's is snappy, and text is not compressed.",
)
@click.option("--single-file", is_flag=True, help="One file a table instead of a folder of parts.")
@options.behaviour
@options.seed
@click.option("--also", multiple=True, type=click.Choice(sorted(MODULES)), help="A further part; may be repeated.")
@click.option("--no-pii", is_flag=True, help="Leave out names, addresses, phones and cards: no part `people`.")
@click.option(
    "--dirty", metavar="NAME", help="Deliver badly: typical, nasty or a file; writes delivered and its truth."
)
@click.option("--no-truth", "blind", is_flag=True, help="Leave the answers out; each shopper is in one arm only.")
@click.option(
    "--to-duckdb",
    "database",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Put all tables into one DuckDB file too, with keys; needs footfall[duckdb].",
)
@click.option(
    "--workers", type=click.IntRange(1, 256), default=1, show_default=True, help="Processes; the data is the same."
)
@click.option(
    "--dask", metavar="SCHEDULER", help="Work on a Dask cluster, as tcp://10.0.0.1:8786; needs footfall[dask]."
)
@click.option("--shard", "part", type=PartOf(), help="Make the third of 64 parts of the data set only, as 3/64.")
@click.option("--resume", is_flag=True, help="Go on where an earlier run was cut short.")
@options.overwrite
def command(
    scenario: str,
    shoppers: int | None,
    out: Path,
    kind: Format,
    compression: Compression | None,
    single_file: bool,
    behaviour: str | None,
    observational: bool | None,
    seed: int | None,
    also: tuple[str, ...],
    no_pii: bool,
    dirty: str | None,
    blind: bool,
    database: Path | None,
    workers: int,
    dask: str | None,
    part: tuple[int, int] | None,
    resume: bool,
    overwrite: bool,
) -> None:
    """Play SCENARIO in the crowd world and write shoppers, visits and events to --out.

    SCENARIO is a shipped name (demo, smoke, black_friday) or a file. The same seed gives the same bytes, whatever the
    number of workers, and wherever they are.

    With --shard, any number of machines share --out, or write folders that are copied into one; whoever ends last
    writes the manifest, or `--resume` does, without --shard.
    """
    from simulator.export.dataset import Job
    from simulator.export.dirt import load_dirt
    from simulator.export.output import Output
    from simulator.export.parts import chosen
    from simulator.model.faults import all_or_faults
    from simulator.runfolder.files import prepare_folder
    from simulator.scenario.load import load_scenario

    _refuse_answers(also, no_pii=no_pii, blind=blind)
    _refuse_contradictions(workers=workers, dask=dask, part=part, resume=resume, overwrite=overwrite, database=database)
    given = options.overrides(seed=seed, shoppers=shoppers, behaviour=behaviour, observational=observational)
    output = Output(kind, compression, chosen(also, no_pii=no_pii), single_file, blind=blind)
    loaded, dirt, _ = all_or_faults(
        lambda: load_scenario(scenario, given),
        lambda: load_dirt(dirty) if dirty else None,
        lambda: _check(output, database, dask, overwrite=overwrite),
    )
    options.warn_of(loaded.behaviour)
    output = replace(output, dirt=dirt)
    with _makers(workers, dask) as make:
        prepare_folder(out, overwrite=overwrite, join=resume or part is not None)
        manifest = _generate(Job.of(loaded, out.resolve(), output), out, make, part)
    if manifest is not None:
        _tell(manifest, out, database)


def _refuse_answers(also: tuple[str, ...], *, no_pii: bool, blind: bool) -> None:
    """Raise a usage error where an option leaves out what another asks for."""
    if no_pii and "people" in also:
        fail("--no-pii leaves out what --also people asks for")
    if blind and "truth" in also:
        fail("--no-truth leaves out what --also truth asks for", "generate twice with one --seed, into two folders")


def _refuse_contradictions(
    *, workers: int, dask: str | None, part: object, resume: bool, overwrite: bool, database: Path | None
) -> None:
    """Raise a usage error for options that cannot be meant together, all of them at once."""
    wrong = [
        text
        for given, text in (
            (resume and overwrite, "--resume keeps what --overwrite would remove"),
            (part and overwrite, "--shard joins what --overwrite would remove"),
            (
                part and database,
                "--shard makes a part, --to-duckdb needs the whole: give it to the --resume that ends it",
            ),
            (dask and workers > 1, "--workers are of this machine, --dask brings its own"),
        )
        if given
    ]
    if wrong:
        fail("; ".join(wrong))


def _check(output: Output, database: Path | None, dask: str | None, *, overwrite: bool) -> None:
    """Raise `FileFaults` with everything that would only come out when much is written already."""
    from simulator.export import dask_pool, duckdb_file
    from simulator.model.faults import FileFaults

    faults = output.faults()
    if database is not None:
        faults += duckdb_file.faults_of(database, output, overwrite=overwrite)
    if dask is not None:
        faults += dask_pool.faults()
    if faults:
        raise FileFaults(faults)


@contextmanager
def _makers(workers: int, dask: str | None) -> Iterator[Make]:
    """Yield what makes shards: processes of this machine, or a cluster that has answered."""
    if dask is None:
        from simulator.worlds.pool import make_all

        yield lambda job, todo: make_all(job, todo, max(1, min(workers, len(todo))))
        return
    from simulator.export.dask_pool import cluster

    with cluster(dask) as make:
        yield make


def _generate(job: Job, out: Path, make: Make, part: tuple[int, int] | None) -> dict[str, Any] | None:
    """Make what is missing, with a bar, and return the manifest; None where others have shards left to make."""
    from simulator.cli.progress import progress
    from simulator.export.finish import finish, share, unmade

    console, total = options.console(), len(job.shards())
    mine = range(total) if part is None else share(total, *part)
    with console.status("checking the shards that are there"):
        todo = unmade(job, mine)
    if len(todo) < len(mine):
        console.print(f"{len(mine) - len(todo):,} of {len(mine):,} shards are complete already")
    kept = job.shoppers(mine) - sum(shard.last - shard.first for shard in todo)
    try:
        with progress(console, job.shoppers(mine), kept) as told, closing(make(job, todo)) as made:
            for one in made:
                told(*one)
        with console.status("making the data set whole"):
            manifest = finish(job)
    except KeyboardInterrupt:
        console.print(f"{_state(job, out)}. To go on, give the same command with --resume")
        raise
    except CannotWrite as error:
        raise CannotWrite(f"{error}. Hint: when that is mended, give the same command with --resume") from error
    if manifest is None:
        console.print(f"{_made(mine)}; {_state(job, out)}")
    return manifest


def _made(mine: range) -> str:
    if len(mine) < 2:
        return f"shard {mine.stop:,} is made" if mine else "no shard is this part's"
    return f"shards {mine.start + 1:,} to {mine.stop:,} are made"


def _state(job: Job, out: Path) -> str:
    from rich.markup import escape

    total = len(job.shards())
    return f"{job.receipts.count(total):,} of {total:,} shards are complete in [bold]{escape(str(out))}[/bold]"


def _tell(manifest: Mapping[str, Any], out: Path, database: Path | None) -> None:
    """Put the tables into a database if asked for, and say how much there is, and where."""
    from rich.markup import escape

    from simulator.export.duckdb_file import write_database

    console = options.console()
    if database is not None:
        with console.status(f"filling {escape(str(database))}"):
            write_database(out, manifest, database)
    counts = (sum(part["rows"] for part in manifest["tables"][table]) for table in ("shoppers", "visits", "events"))
    shoppers, visits, events = counts
    places = " and ".join(f"[bold]{escape(str(place))}[/bold]" for place in (out, database) if place)
    console.print(f"{shoppers:,} shoppers, {visits:,} visits, {events:,} events in {places}")
