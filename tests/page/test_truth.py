"""How truth is measured: whether other processes disturbed a load."""

from __future__ import annotations

import subprocess
import sys

from measure import busy_and_own

BURN = "import time\nuntil = time.process_time() + 0.4\nwhile time.process_time() < until: pass"
TAB = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {BURN!r}])\nprint(flush=True)\nsys.stdin.read()"


def test_what_a_tab_took_before_it_ended_is_ours():
    """A process that has come and gone meanwhile is no stranger: every load's own tab is such a one."""
    before = busy_and_own()
    with subprocess.Popen([sys.executable, "-c", TAB], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as browser:
        assert browser.stdout is not None
        browser.stdout.readline()
        after = busy_and_own()
        browser.communicate(b"")
    assert after[1] - before[1] >= 0.4
    assert after[0] - before[0] >= 0.4
