"""What the tests of targets share: files written beside the test, and a shopper who agrees to everything."""

from __future__ import annotations

import asyncio
import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from simulator.model.devices import device_table
from simulator.target.context import Who, open_context
from simulator.target.request import load_target

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

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


@pytest.fixture(scope="session")
def beside() -> Callable[[str], ModuleType]:
    """Return a function that imports a module of this folder."""

    def load(name: str) -> ModuleType:
        spec = importlib.util.spec_from_file_location(f"target_{name}", Path(__file__).with_name(f"{name}.py"))
        assert spec
        assert spec.loader
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load


@pytest.fixture(scope="session")
def transport_of() -> Callable[..., httpx.MockTransport]:
    """Return a function from an ASGI application to a transport that answers from it, without sockets."""

    def transport(app) -> httpx.MockTransport:
        def handle(request: httpx.Request) -> httpx.Response:
            async def ask() -> httpx.Response:
                asked = httpx.Request(request.method, request.url, headers=request.headers, content=request.read())
                answer = await httpx.ASGITransport(app=app).handle_async_request(asked)
                return httpx.Response(answer.status_code, headers=answer.headers, content=await answer.aread())

            return asyncio.run(ask())

        return httpx.MockTransport(handle)

    return transport
