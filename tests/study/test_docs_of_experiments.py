"""The examples of the page on experiments run as they stand."""

import re
from pathlib import Path

import pytest

from tests.conftest import PLAIN

PAGE = (Path(__file__).parent.parent.parent / "docs" / "experiments.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)


@pytest.mark.skipif(PLAIN, reason="the examples have many shoppers")
@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_examples_run(example, capsys):
    """Each example runs and prints something."""
    exec(compile(example, "experiments.md", "exec"), {})
    assert capsys.readouterr().out
