"""A live rate sweep: what each rate came to, written and read back, and rates that make no curve."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from simulator.analysis.runs import read_run
from simulator.cli.speed_sweep import command
from simulator.study.speed_sweep import FILE, read_sweep, sweep_text, swept


def test_a_rate_is_what_its_run_measured(live_folder, tmp_path):
    """Service times, load times and lengths of a live run come back from the file as they were, in rising order."""
    run = read_run(live_folder)
    rows = tuple(swept(run, rate) for rate in (10.0, 2.0))
    assert rows[0].visits == len(run.visits)
    assert 0 < rows[0].server_s["p50"].value <= rows[0].server_s["p95"].value
    assert 0 < rows[0].lcp_s["p50"].value <= rows[0].lcp_s["p75"].value
    assert rows[0].lengths["pages"].value >= 1
    (tmp_path / FILE).write_text(sweep_text(rows))
    assert read_sweep(tmp_path) == (rows[1], rows[0])


@pytest.mark.parametrize("rates", ["5/s", "5/s,5/s", "0/s,5/s", "five", "", "5/s,"])
def test_rates_that_make_no_curve_are_refused(rates):
    """One rate, the same twice, none at all and words are a usage error, before anything is called."""
    done = CliRunner().invoke(command, ["demo", "--host", "http://127.0.0.1:9", "--rates", rates])
    assert done.exit_code == 2
    assert "--rates" in done.output
