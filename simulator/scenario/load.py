"""Reading a scenario with everything it names; all faults of all files at once, before anything is written."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from simulator.analysis.thresholds import Threshold, ThresholdError, parse_thresholds
from simulator.journey.arms import CONTROL, compile_arms
from simulator.journey.calendar import Calendar, Campaign, compile_calendar, responses
from simulator.journey.plan import Plan, calendar_plan, draw_shoppers, open_starts, plan_of
from simulator.journey.returners import who_comes
from simulator.journey.tables import Names
from simulator.model.behaviour import CONSENSUS, Behaviour, apply, load_behaviour, unmeant
from simulator.model.faults import COMMAND_LINE, Fault, FileFaults, all_or_faults, suggestion
from simulator.model.library import resolve
from simulator.model.persona import PopulationSpec, load_population
from simulator.model.population import Population, Roster, compile_population
from simulator.model.yamlfile import YamlFile, read_yaml, validate
from simulator.page.card import Pages, compile_pages, page_file
from simulator.scenario.arrivals import WITHOUT_RATE
from simulator.scenario.arrivals_file import arrivals_file, rates, replayed
from simulator.scenario.replay import Replay
from simulator.scenario.schema import Arm, ScenarioFile
from simulator.scenario.traffic import Traffic
from simulator.target.request import Target, load_target

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from simulator.scenario.shapes import Profile


FOLDER = "personas/scenarios"


@dataclass(frozen=True, slots=True)
class Scenario:
    """A scenario with all it names, read and compiled; `name` and `overrides` are what it was loaded with.

    `personas` are as their files say, `population` as they react under `behaviour`.
    """

    name: str
    overrides: Mapping[str, Any]
    spec: ScenarioFile
    personas: PopulationSpec
    behaviour: Behaviour
    population: Population
    roster: Roster
    pages: Pages
    arms: NDArray[Any]
    arm_names: tuple[str, ...]
    target: Target
    thresholds: tuple[Threshold, ...]
    profile: Profile
    """Of a live or capacity run; empty where arrivals have no rate."""
    replay: Replay | None
    """The arrivals of a file of times, as far as the run goes."""
    calendar: Calendar
    """The days of the horizon of generated data."""

    @property
    def names(self) -> Names:
        """The dictionaries of this run's tables."""
        return Names(self.roster, self.arm_names)

    def plan(self, times: float = 1.0) -> Plan:
        """Return the arrivals at `times` the scenario's rates; of closed ones everybody's first visit.

        Arrivals without a rate are what they are: `times` must be 1.
        """
        spec = self.spec
        shopper = None
        if spec.arrivals.kind in WITHOUT_RATE:
            assert times == 1, "only rates can be multiplied"
        if self.replay is not None:
            starts_us, shopper = self.replay.starts_us, self.replay.shopper
        elif self.closed:
            return plan_of(spec.arrivals.first_starts_us(), spec.seed, self.arms)
        else:
            profile = [(second, rate * times) for second, rate in self.profile]
            starts_us = open_starts(profile, spec.seed, even=spec.arrivals.spacing == "even")
        if spec.returning is not None:
            after_us = round(spec.returning.after * 1e6)
            shopper = who_comes(starts_us, spec.seed, spec.returning.share, after_us)
        return plan_of(starts_us, spec.seed, self.arms, shopper)

    @property
    def closed(self) -> bool:
        """Whether the next visit begins when one has ended, so that a slow server is asked less."""
        return self.spec.arrivals.kind == "closed"

    def calendar_plan(
        self, first: int, last: int, shoppers: NDArray[Any] | None = None, *, seed: int | None = None
    ) -> Plan:
        """Return the visits of shoppers `first` to `last` − 1 over the horizon, in every arm.

        Another `seed` than the scenario's deals the visits of the same `shoppers` anew.
        """
        spec = self.spec
        rows = draw_shoppers(self.population, spec.seed, first, last) if shoppers is None else shoppers
        return calendar_plan(
            self.population,
            spec.seed if seed is None else seed,
            first,
            last,
            round(spec.horizon * 1e6),
            self.calendar.weekday,
            len(self.arms),
            rows,
            calendar=self.calendar,
            strengths=responses(self.campaigns, self.roster, rows),
        )

    @property
    def campaigns(self) -> list[Campaign]:
        """The bursts of visits of generated data."""
        return [burst.compiled(self.spec.reference) for burst in self.spec.campaigns]

    def resolved(self) -> dict[str, Any]:
        """Return the scenario as plain values, with every default filled in; it can be read back as it stands."""
        return self.spec.model_dump(mode="json", by_alias=True, exclude_none=True)

    def settings(self) -> dict[str, str]:
        """Return the SHA-256 of each thing that the scenario names, so that two runs can say how they differ."""
        parts: dict[str, Any] = {f"persona {one.name}": one.merged.data for one in self.personas.personas}
        parts |= {"weights of personas": list(self.personas.weights), "pages": page_file().model_dump(mode="json")}
        parts |= {"devices, networks and places": _bytes_of(self.population), "calendar": _bytes_of(self.calendar)}
        parts |= {"page cards": _bytes_of(self.pages), "arrivals": np.array(self.profile).tolist()}
        parts |= {"behaviour": self.behaviour.digest}
        digests = {name: _sha256(value) for name, value in parts.items()}
        # Workers that make data have no target: it decides nothing there.
        target = cast("Target | None", self.target)
        return digests if target is None else digests | {"target": target.digest}

    def digest(self) -> str:
        """Return the SHA-256 of everything that decides the plan and the behaviour: scenario, personas, tables."""
        parts = [self.resolved(), [persona.merged.data for persona in self.personas.personas], self.behaviour.digest]
        text = json.dumps([parts, list(self.personas.weights), page_file().model_dump(mode="json")], sort_keys=True)
        arrays = [np.asarray(array) for part in (self.population, self.pages, self.calendar) for array in part]
        arrays.append(np.array(self.profile))
        if self.replay is not None:
            arrays += [part for part in (self.replay.starts_us, self.replay.shopper) if part is not None]
        return hashlib.sha256(b"".join([text.encode(), *(array.tobytes() for array in arrays)])).hexdigest()


def load_scenario(name: str, overrides: Mapping[str, Any] | None = None) -> Scenario:
    """Read a scenario by shipped name or path; `overrides` replace top-level fields, as a command line does.

    Raises `FileFaults` with every fault of the scenario, its population, personas, target and thresholds.
    """
    path = resolve(name, FOLDER, what="scenario")
    file = read_yaml(path)
    given = dict(overrides or {})
    try:
        spec, _, personas, behaviour, target, written = all_or_faults(
            lambda: validate(ScenarioFile, file, file.data | given),
            lambda: _thresholds(file, file.data | given, None),
            lambda: _named(file, file.data | given, "population", load_population, path.parent),
            lambda: _behaviour(file, file.data | given, path.parent),
            lambda: _named(file, file.data | given, "target", load_target, path.parent),
            lambda: arrivals_file(file, file.data | given, path.parent),
        )
        # Once more, now that the names are known that a label may have.
        thresholds = _thresholds(file, file.data | given, known_names(spec, personas, target))
        population, roster = compile_population(apply(behaviour, personas), spec.reference)
        _check_campaigns(file, spec, roster)
        replay = replayed(file, spec, written) if isinstance(written, Replay) else None
        traffic = written if isinstance(written, Traffic) else None
        profile = rates(file, spec, population, traffic)
    except FileFaults as error:
        raise FileFaults(_placed(fault, file, given) for fault in error.faults) from None
    campaigns = [burst.compiled(spec.reference) for burst in spec.campaigns]
    arms = all_arms(spec.arms)
    return Scenario(
        name,
        given,
        spec,
        personas,
        behaviour,
        population,
        roster,
        compile_pages(page_file(), instant=spec.pages == "instant"),
        compile_arms([(arm.name, arm.share, arm.delay, arm.pull) for arm in arms]),
        tuple(arm.name for arm in arms),
        target,
        tuple(thresholds),
        profile,
        replay,
        compile_calendar(roster, spec.reference, round(spec.horizon * 1e6), campaigns),
    )


def _bytes_of(arrays: Sequence[Any]) -> bytes:
    return b"".join(np.asarray(array).tobytes() for array in arrays)


def _sha256(value: object) -> str:
    """Return the SHA-256 of bytes, or of what JSON makes of a value."""
    content = value if isinstance(value, bytes) else json.dumps(value, sort_keys=True, default=str).encode()
    return hashlib.sha256(content).hexdigest()


def all_arms(arms: list[Arm]) -> list[Arm]:
    """Return the arms with `control` first; it gets the share that the others leave."""
    others = [arm for arm in arms if arm.name != CONTROL]
    left = max(0.0, 1.0 - sum(arm.share for arm in others))
    return [Arm(name=CONTROL, share=left), *others]


def _placed(fault: Fault, file: YamlFile, given: Mapping[str, Any]) -> Fault:
    """Return a fault of an overriding value as one of the command line: the file never said it."""
    overridden = fault.file == file.name and fault.path.partition(".")[0] in given
    return replace(fault, file=COMMAND_LINE, line=0) if overridden else fault


def known_names(spec: ScenarioFile, personas: PopulationSpec, target: Target) -> dict[str, list[str]]:
    """Return the names that labels of thresholds may have in this scenario."""
    return {
        "persona": [persona.name for persona in personas.personas],
        "arm": [arm.name for arm in all_arms(spec.arms)],
        "operation": list(target.operations),
    }


def _thresholds(file: YamlFile, data: Mapping[str, Any], known: Mapping[str, list[str]] | None) -> list[Threshold]:
    """Return the thresholds; what is no list of texts is the schema's to refuse."""
    texts = data.get("thresholds", [])
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        return []
    try:
        return parse_thresholds(texts, known)
    except ThresholdError as error:
        raise FileFaults(
            file.fault(("thresholds", index), found, allowed, hint) for index, found, allowed, hint in error.problems
        ) from None


def _check_campaigns(file: YamlFile, spec: ScenarioFile, roster: Roster) -> None:
    """Raise `FileFaults` for each persona of a campaign that the population does not have."""
    faults = [
        file.fault(
            ("campaigns", place, "personas", name),
            "is not a persona of the population",
            f"allowed are {', '.join(roster.personas)}",
            suggestion(name, roster.personas),
        )
        for place, burst in enumerate(spec.campaigns)
        for name in burst.personas
        if name not in roster.personas
    ]
    if faults:
        raise FileFaults(faults)


def _behaviour(file: YamlFile, data: Mapping[str, Any], beside: Path) -> Behaviour | None:
    """Load the preset; one that takes an observed curve for an effect must be meant."""
    named = {**data, "behaviour": data.get("behaviour", CONSENSUS) or "null"}
    behaviour: Behaviour | None = _named(file, named, "behaviour", load_behaviour, beside)
    wrong = unmeant(behaviour, meant=data.get("observational") is True) if behaviour is not None else []
    if wrong:
        raise FileFaults([file.fault(("behaviour",), *wrong)])
    return behaviour


def _named(file: YamlFile, data: Mapping[str, Any], key: str, load: Callable[..., Any], beside: Path) -> Any:  # noqa: ANN401
    """Load what `key` names; a name that leads nowhere is a fault of whoever named it, not of a file called so."""
    name = data.get(key, ScenarioFile.model_fields[key].default)
    if not isinstance(name, str):
        return None
    try:
        return load(name, beside=beside)
    except FileFaults as error:
        raise FileFaults(
            file.fault((key,), f"{name} {f.found}", f.allowed, f.hint) if f.is_of_file(name) else f
            for f in error.faults
        ) from None
