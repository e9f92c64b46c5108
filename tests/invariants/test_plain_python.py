"""The kernel is one definition: without a compiler, plain Python gives the same rows and passes the same tests."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROWS = """
import hashlib, json
from simulator.journey.arms import compile_arms
from simulator.journey.plan import DAY_US, calendar_plan, open_plan
from simulator.model.persona import load_population
from simulator.model.population import compile_population
from simulator.page.card import compile_pages, page_file
from simulator.worlds.crowd import World, play
from simulator.worlds.replay import replay

population, _ = compile_population(load_population("everyday"))
arms = compile_arms([("control", 0.5, {}, {}), ("slower", 0.5, {"all": 1.5}, {"exit": 1.2})])
world = World(population, compile_pages(page_file()), arms, 77)
found = {}
for name, plan in (
    ("calendar", calendar_plan(population, 77, 0, 70, 7 * DAY_US, 0, 2)),
    ("open", open_plan([(0.0, 2.0), (30.0, 8.0)], 77, arms)),
):
    rows = play(world, plan)
    again = replay(world, *rows)
    for table, array, replayed in zip(("shoppers", "visits", "events"), rows, again, strict=True):
        found[f"{name} {table}"] = [len(array), hashlib.sha256(array.tobytes()).hexdigest()]
        assert array.tobytes() == replayed.tobytes()
print(json.dumps(found))
"""
"""Prints the digest of each table that two plans give, and replays them."""
SAME_TESTS = [
    "test_slower.py::test_no_shopper_gains_a_page",
    "test_slower.py::test_the_surroundings_do_not_wait",
    "test_slower.py::test_an_arm_without_effect_is_control",
    "test_replay.py::test_a_measured_run_replays_row_for_row",
    "test_replay.py::test_a_run_replays_from_its_parquet_tables",
    "test_causal_order.py::test_purchases_do_happen",
    "test_others_unchanged.py::test_without_one_shopper_only_their_rows_are_gone",
    "test_others_unchanged.py::test_visits_may_be_played_in_any_order",
    "test_same_bytes.py::test_a_full_buffer_does_not_show",
]
KNOWN_ANSWERS = HERE.parent / "theory" / "test_philox.py"


def plain(*command):
    """Run Python without the compiler and return its output."""
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    done = subprocess.run([sys.executable, *command], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_same_bytes_without_a_compiler(capsys):
    """Shoppers, visits and events of both kinds of plan, in two arms, are the same bytes compiled and interpreted."""
    exec(ROWS, {})
    compiled = json.loads(capsys.readouterr().out)
    assert compiled == json.loads(plain("-W", "error", "-c", ROWS))
    assert len({digest for _, digest in compiled.values()}) == len(compiled)
    assert hashlib.sha256(b"").hexdigest() not in {digest for _, digest in compiled.values()}


def test_the_same_tests_pass_without_a_compiler():
    """The laws of arms, replay and order, and the cipher's known answers, hold in plain Python, on fewer shoppers."""
    tests = [*(str(HERE / test) for test in SAME_TESTS), str(KNOWN_ANSWERS)]
    said = plain("-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *tests)
    assert "failed" not in said
    assert "passed" in said
