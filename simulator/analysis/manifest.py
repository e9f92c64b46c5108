"""The manifest of a run: what was played, with which seed, and how the generator fared."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from simulator.model.faults import Fault, FileFaults, one_fault
from simulator.model.units import parse_duration_s

if TYPE_CHECKING:
    from pathlib import Path

FILE = "manifest.json"
World = Literal["crowd", "capacity", "live"]


class Lax(BaseModel):
    """A part of the manifest; what a newer version added is kept out of the way."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class TableFile(Lax):
    """One file of a table, relative to the run's folder."""

    file: str
    rows: int
    sha256: str = ""


class Skipped(Lax):
    """Requests that were not sent because something was missing, as a product nobody had extracted."""

    operation: str
    reason: str
    count: int


class Cap(Lax):
    """What `max_open_visits` cost: visits that it delayed and dropped, by how much, and how long there was no room."""

    max_open_visits: int
    delayed: int
    dropped: int
    full_s: float
    waited_s: dict[str, float | None] = {}


class Broken(Lax):
    """Answers that were not what the target file promises: of which operation, about which evidence, how, how often."""

    operation: str
    evidence: str = ""
    kind: str
    count: int
    sample: str = ""


class Generator(Lax):
    """How the load generator itself fared. `saturated` holds one sentence a reason why it fell short."""

    planned: int
    started: int
    dropped: int
    warmup_visits: int = 0
    cap: Cap | None = None
    start_lag_ms: dict[str, float] = {}
    cpu_share: float | None = None
    saturated: list[str] = []
    notes: list[str] = []
    requests: int = 0
    errors: int = 0
    duration_s: float | None = None
    held: int = 0
    skipped: list[Skipped] = []
    contract: list[Broken] = []


class Reaction(Lax):
    """The preset by which shoppers reacted to waiting."""

    name: str
    kind: str


class Checks(Lax):
    """How many checks were made and violated, in how many visits, and the 95 % interval of the share of visits."""

    checked: int = 0
    violated: int = 0
    visits: int = 0
    visits_violated: int = 0
    low: float | None = None
    high: float | None = None


class Violation(Lax):
    """One violation: what is wrong, the requests that show it, and what differs (of what, what came, what was due)."""

    says: str
    operation: str
    when: str
    first: str
    second: str = ""
    differs: list[tuple[str, Any, Any]] = []


class Found(Lax):
    """What the probe of one hazard found; `blamed` where the hazard itself is what went wrong."""

    code: str
    name: str
    kind: str
    says: str
    state: Literal["held", "violated", "not observable"]
    why: str = ""
    alone: Checks = Checks()
    among: Checks = Checks()
    operations: list[str] = []
    missing: list[str] = []
    samples: list[Violation] = []
    explained_by: str = ""
    blamed: bool = False

    @property
    def checked(self) -> int:
        """How many checks were made, alone and among many."""
        return self.alone.checked + self.among.checked

    @property
    def violated(self) -> int:
        """How many of them were violated."""
        return self.alone.violated + self.among.violated


class Shown(Lax):
    """How personal and relevant the answers of one operation were, asked alone or among many.

    `from_s` is the second of the run at which a stretch begins, None for the whole. `share` is that of personal answers
    among the `known` ones, `ndcg` the mean relevance to who has a history, `ndcg_rest` to the others.
    """

    operation: str
    when: str
    from_s: int | None = None
    answers: int = 0
    eligible: int = 0
    known: int = 0
    share: float | None = None
    ndcg: float | None = None
    ndcg_rest: float | None = None


class Offered(Lax):
    """What was offered at one place: where it was asked (degrees), and the circles in which the offers hold.

    A fence is (latitude, longitude, radius in metres, whether the shopper was inside).
    """

    operation: str
    country: str
    at: tuple[float, float]
    held: bool
    fences: list[tuple[float, float, float, bool]]


class Probed(Lax):
    """What probes asked and found: of every hazard whether it was held, violated, or not observable."""

    share: float
    requests: int
    alone_requests: int = 0
    unseen_visits: int = 0
    spent_s: float = 0.0
    give_up_s: float = 3.0
    quiet_hours: tuple[int, int] = (22, 8)
    findings: list[Found] = []
    operations: list[Shown] = []
    over_time: list[Shown] = []
    offers: list[Offered] = []
    pushes_by_hour: list[int] = []

    @property
    def blamed(self) -> list[Found]:
        """The hazards that were found."""
        return [found for found in self.findings if found.blamed]


class Aborted(Lax):
    """The threshold that ended a live run early: when, in seconds of the run, and what was measured then."""

    threshold: str
    at_s: float
    text: str


class Permission(Lax):
    """What a live run was allowed to do; `verify` is false where no certificate was looked at."""

    hosts: list[tuple[str, int]] = []
    verify: bool = True
    max_rate_per_s: float | None = None


class Manifest(Lax):
    """What the folder of a run says about itself, before any table is read."""

    footfall: str
    world: World
    name: str
    seed: int
    digest: str
    scenario: dict[str, Any]
    reference: str
    versions: dict[str, str] = {}
    arms: list[str] = Field(default=["control"], min_length=1)
    assumed: list[str] = []
    measured: list[str] = []
    settings: dict[str, str] = {}
    behaviour: Reaction | None = None
    interrupted: bool = False
    aborted: Aborted | None = None
    tables: dict[str, list[TableFile]] = {}
    generator: Generator | None = None
    backend: dict[str, Any] | None = None
    probes: Probed | None = None
    host: str | None = None
    permission: Permission | None = None

    @property
    def pace(self) -> float:
        """How many times faster than in life shoppers thought; only a live run can make them."""
        pace = self.scenario.get("pace", 1.0) if self.world == "live" else 1.0
        return float(pace) if isinstance(pace, int | float) and pace > 0 else 1.0

    @property
    def closed(self) -> bool:
        """Whether each next visit began when one had ended, so that a slow target was asked less."""
        arrivals = self.scenario.get("arrivals")
        return self.world == "live" and isinstance(arrivals, dict) and arrivals.get("kind") == "closed"

    @property
    def warmup_s(self) -> float:
        """How long the warm-up of a live run was, which no figure counts."""
        try:
            return parse_duration_s(self.scenario.get("warmup", 0)) if self.world == "live" else 0.0
        except ValueError:
            return 0.0

    @property
    def min_samples(self) -> int | None:
        """The scenario's smallest sample for a threshold, where it sets one."""
        least = self.scenario.get("min_samples")
        return least if isinstance(least, int) and least > 0 else None

    @property
    def thresholds(self) -> list[str]:
        """The scenario's thresholds, as written."""
        return list(self.scenario.get("thresholds") or [])


def read_manifest(folder: Path) -> Manifest:
    """Read `manifest.json`. Raises `FileFaults` when the folder is no run or the manifest is not whole."""
    path = folder / FILE
    if not folder.is_dir():
        raise one_fault(
            str(folder), "is not a folder" if folder.exists() else "does not exist", "a run folder is needed"
        )
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        hint = "footfall generate, capacity, load and demo write run folders"
        raise one_fault(str(folder), f"has no {FILE}", "a run folder is needed", hint) from None
    except (OSError, UnicodeDecodeError) as error:
        raise one_fault(str(path), f"cannot be read ({error})") from None
    except json.JSONDecodeError as error:
        fault = Fault(str(path), error.lineno, "", f"is not JSON ({error.msg})", "", "the run may have been cut short")
        raise FileFaults([fault]) from None
    try:
        return Manifest.model_validate(data)
    except ValidationError as error:
        raise FileFaults(_faults(path, error)) from None


def _faults(path: Path, error: ValidationError) -> list[Fault]:
    return [
        Fault(str(path), 0, ".".join(map(str, part["loc"])), part["msg"][0].lower() + part["msg"][1:], "")
        for part in error.errors(include_url=False, include_context=False)
    ]
