"""What the tests of targets share: files written beside the test, and a shopper who agrees to everything."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from simulator.model.devices import device_table
from simulator.target.context import Who, open_context
from simulator.target.request import load_target

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from simulator.model.devices import DeviceRow
    from simulator.target.context import Context
    from simulator.target.request import Target

MINIMAL = "target: t\noperations:\n  home: {path: /}\n"


def first_device(browser: str) -> DeviceRow:
    """Return the first shipped device with this browser."""
    return next(device for device in device_table().devices if device.browser == browser)


@pytest.fixture
def target_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """Return a function that writes a target file into the working folder and returns its name."""
    monkeypatch.chdir(tmp_path)

    def write(text: str) -> str:
        (tmp_path / "shop.yaml").write_text(text, encoding="utf-8")
        return "shop.yaml"

    return write


@pytest.fixture
def target_of(target_file: Callable[[str], str]) -> Callable[[str], Target]:
    """Return a function that compiles a target from the text under `operations`, with optional text before it."""

    def compile_text(operations: str, head: str = "") -> Target:
        indented = "".join(f"  {line}\n" for line in operations.strip("\n").splitlines())
        return load_target(target_file(f"target: t\n{head}\noperations:\n{indented}"))

    return compile_text


@pytest.fixture
def shopper(target_file: Callable[[str], str]) -> Callable[..., Context]:
    """Return a function that opens shopper 17's first visit, with changes to who they are."""
    target = load_target(target_file(MINIMAL))
    everything = frozenset({"analytics", "personalization", "location", "push"})
    somebody = Who(17, "GB", first_device("chrome"), 51.5, -0.125, everything, "shoes", "London")

    def open_visit(of: Target | None = None, visit: int = 0, **changes: object) -> Context:
        return open_context(of or target, somebody._replace(**changes), seed=42, visit=visit, run="run-1")

    return open_visit
