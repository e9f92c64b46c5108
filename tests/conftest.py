"""What tests share: the shipped personas compiled, worlds to play them in, and the command run in this process.

With NUMBA_DISABLE_JIT=1 the same tests run on few shoppers.
"""

import os
import signal
import sys
import textwrap
from typing import NamedTuple

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy is imported, as `footfall` itself does

import numpy as np
import pytest

from simulator.cli import main
from simulator.journey.arms import compile_arms, control_arm
from simulator.journey.plan import DAY_US, Plan, calendar_plan
from simulator.model.distributions import TableBook
from simulator.model.persona import PopulationSpec, complete_personas, load_persona, load_population
from simulator.model.population import compile_population
from simulator.page.card import compile_pages, page_file
from simulator.target.redaction import forget
from simulator.worlds.crowd import World, play

for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "FOOTFALL_BASELINES"):
    os.environ.pop(name, None)  # where the tests themselves run in a job, no command under test is to report to it
PLAIN = os.environ.get("NUMBA_DISABLE_JIT") == "1"
SEED = 20_260_105
SLOW = (
    "analysis/test_survival.py::test_sums_over_shoppers",
    "cli/test_generate.py::test_a_full_disk",
    "cli/test_generate.py::test_an_interrupt",
    "cli/test_generate.py::test_workers_never_show_in_truth",
    "docs/test_ci.py::test_the_example_of_github_works",
    "docs/test_commands.py",
    "docs/test_pages.py::test_generated_parts_are_in_step",
    "export/test_dask.py",
    "export/test_resume.py::test_a_killed_run",
    "export/test_resume.py::test_an_interrupt",
    "export/test_truth.py::test_closed_forms",
    "export/test_truth.py::test_shards_and_formats_never_show",
    "export/test_truth.py::test_the_same_data_is_the_same_truth",
    "export/test_truth.py::test_truth_json_holds_what_was_planted",
    "fit/test_rum.py::test_everything_is_found",
    "fit/test_rum.py::test_the_patience_fit_covers_the_truth",
    "invariants/test_causal_order_of_personas.py",
    "invariants/test_plain_python.py",
    "invariants/test_planted_parameters.py",
    "invariants/test_same_bytes.py::test_many_workers_write_the_same_bytes",
    "invariants/test_same_bytes.py::test_the_host_does_not_show",
    "live/test_abort.py",
    "live/test_arrivals.py",
    "live/test_demo.py",
    "live/test_fleet.py",
    "live/test_locust.py",
    "live/test_probes_together.py",
    "live/test_runs.py",
    "live/test_secrets_stay.py::test_failing",
    "live/test_secrets_stay.py::test_nothing",
    "live/test_stalled.py",
    "live/test_transport_h2.py::test_h2_runs_through_a_link",
    "live/test_transport_shaped.py",
    "live/test_visits_shaped.py",
    "page/test_recorder_browser.py",
    "report/test_looking_browser.py",
    "report/test_speed.py",
    "report/test_speed_browser.py",
    "scenario/test_loading.py::test_the_digest_is_the_same_wherever",
    "study/test_dose.py::test_workers_never_show",
    "study/test_what_if_run.py",
    "target/probes/test_zoo.py",
    "study/test_scorecard.py::test_the_fit_finds_a_planted_level",
    "study/test_scorecard.py::test_the_levels_are_those_of_the_fit",
    "theory/test_closed_form.py::test_slowness_only_takes_away",
    "wheel/test_wheel.py",
)
"""Tests that take tens of seconds: `make slow` runs these, `make test` all others."""


QUIET = (
    "live/test_arrivals.py::test_the_highest_rate_of_a_real_server_is_theorys",
    "live/test_probes_together.py",
    "live/test_transport_h2.py::test_h2_runs_through_a_link",
    "live/test_transport_shaped.py",
)
"""Tests of the real clock, or of requests that overlap, which busy machines bend: not in CI."""


ALONE = (
    "docs/test_ci.py",
    "live/",
    "target/probes/test_zoo.py",
)
"""Tests with a load generator, a shop and a clock: each wants a core, so that none runs beside another slow test."""


COMPILING = ("analysis/test_describe.py", "page/")
"""Where the walk of a visit and the page load are compiled on a fresh clone: forty seconds, for one worker and once."""
NOTHING_COMPILED = ("storefront/",)
"""What another worker does meanwhile."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Give each worker whole files, so that what a file prepares is prepared once; and all that compiles to one.

    Not the slow tests: some of their files take minutes.
    """
    if config.getvalue("dist") != "load" or config.getvalue("markexpr").startswith("slow"):
        return None
    from xdist.scheduler.loadfile import LoadFileScheduling  # noqa: PLC0415 - there is no xdist where it is turned off

    class ByFile(LoadFileScheduling):
        def _split_scope(self, nodeid):
            return "compiling" if _begins(nodeid, COMPILING) else super()._split_scope(nodeid)

    config.option.loadscopereorder = False
    return ByFile(config, log)


def _begins(nodeid, places):
    return nodeid.removeprefix("tests/").startswith(places)


def pytest_collection_modifyitems(items):
    """Mark the slow tests, skip in CI those that need a quiet machine, and begin with what compiles."""
    items.sort(key=lambda item: (not _begins(item.nodeid, COMPILING), not _begins(item.nodeid, NOTHING_COMPILED)))
    busy = pytest.mark.skip(reason="holds the real clock against theory: run `make slow` on a quiet machine")
    for item in items:
        if os.environ.get("CI") and _begins(item.nodeid, QUIET):
            item.add_marker(busy)
        if _begins(item.nodeid, SLOW):
            item.add_marker(pytest.mark.slow)
        if _begins(item.nodeid, ALONE):
            item.add_marker(pytest.mark.alone)


@pytest.fixture(autouse=True)
def no_secret_stays():
    """Forget the secrets that a test made known: the next one's texts may hold them by chance."""
    yield
    forget()


@pytest.fixture(scope="session")
def few():
    """Return a number of shoppers, much smaller where the kernel is not compiled."""
    return lambda shoppers: min(shoppers, 30) if PLAIN else shoppers


@pytest.fixture(scope="session")
def everyday():
    """Return the everyday population and its roster, compiled."""
    return compile_population(load_population("everyday"))


@pytest.fixture(scope="session")
def everybody():
    """Return every complete shipped persona, one part each."""
    personas = tuple(load_persona(path) for path in complete_personas().values())
    return PopulationSpec("everybody", personas, (1.0,) * len(personas))


@pytest.fixture(scope="session")
def cards():
    """Return the shipped page cards."""
    return compile_pages(page_file())


@pytest.fixture(scope="session")
def instant():
    """Return pages that take no time."""
    return compile_pages(page_file(), instant=True)


@pytest.fixture(scope="session")
def unhurried():
    """Return a function that gives a population without its time budgets."""

    def without_budget(population):
        personas = population.personas.copy()
        personas["budget"] = np.array([TableBook().row(None)], personas["budget"].dtype)
        return population._replace(personas=personas)

    return without_budget


@pytest.fixture(scope="session")
def arms():
    """Return a function that compiles arms: name → seconds added by state, or `all`; control is put first."""

    def make(**delays_s):
        return compile_arms([("control", 1.0, {}, {}), *((name, 1.0, delay, {}) for name, delay in delays_s.items())])

    return make


@pytest.fixture(scope="session")
def week(everyday, cards, few):
    """Return a function that plays shoppers over a week of the everyday population, each visit in each arm."""

    def played(shoppers, *, population=everyday[0], pages=cards, arms=None, seed=SEED, block=4_096):
        world = World(population, pages, control_arm() if arms is None else arms, seed)
        plan = calendar_plan(population, seed, 0, few(shoppers), 7 * DAY_US, 0, len(world.arms))
        return play(world, plan, block=block)

    return played


@pytest.fixture(scope="session")
def once():
    """Return a plan in which each of so many shoppers comes once, so that visits are independent."""

    def plan(shoppers, arms=1):
        who = np.repeat(np.arange(shoppers), arms)
        return Plan(who, np.zeros_like(who), np.tile(np.arange(arms), shoppers), who * 1_000_000)

    return plan


@pytest.fixture
def persona_file(tmp_path):
    """Return a function that writes a persona file of a few lines and returns its path."""

    def write(text, name="mine.yaml"):
        path = tmp_path / name
        path.write_text(textwrap.dedent(text).lstrip("\n"), encoding="utf-8")
        return path

    return write


class Said(NamedTuple):
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str


@pytest.fixture
def footfall(capsys, monkeypatch):
    """Return a function that runs `footfall` with these arguments, as the installed script does."""

    def run(*arguments):
        before = signal.getsignal(signal.SIGTERM)
        monkeypatch.setattr(sys, "argv", ["footfall", *map(str, arguments)])
        try:
            with pytest.raises(SystemExit) as ended:
                main()
        finally:
            signal.signal(signal.SIGTERM, before)
        return Said(int(ended.value.code), *capsys.readouterr())

    return run
