"""A fit as a preset file that can be played."""

from __future__ import annotations

import math
from io import StringIO
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML

from simulator.fit.rum import WHOLE
from simulator.model.behaviour import BehaviourFile

if TYPE_CHECKING:
    from simulator.fit.hits import Findings
    from simulator.fit.rum import Fit, Parameter

DIGITS = 4


def preset_of(fit: Fit, name: str, source: str, findings: Findings) -> dict[str, Any]:
    """Return the preset as plain values, in the order of the file; it is valid."""
    design = fit.design
    left_out = f"{sum(findings.dropped.values()):,} left out"
    dealt = f"{design.delays} delays dealt at random" if design.randomised else "no delay dealt at random"
    sections: dict[str, dict[str, Any]] = {"patience": {}, "put_off": {}}
    for one in fit.parameters:
        section, _, key = one.name.partition(".")
        if one.state != "assumed" or one.name in LEVELS or one.why == WHOLE:
            sections[section][key] = _round(one.value)
    data = {
        "behaviour": name,
        "describe": f"Fitted to {design.sessions:,} sessions of {source}, {dealt}.",
        "kind": fit.kind,
        **sections,
        "intervals": {one.name: [_round(low), _round(high)] for one in fit.parameters if (low := one.low) is not None
                      and (high := one.high) is not None and math.isfinite(high)},
        "identifiable": {one.name: f"{one.state}: {one.why}" for one in fit.parameters},
        "evidence": f"{design.views:,} page views of {findings.rows:,} rows; {left_out}",
    }  # fmt: skip
    BehaviourFile.model_validate(data)
    return data


LEVELS = ("patience.hazard_per_s", "put_off.per_log_load", "put_off.memory")


def yaml_of(preset: dict[str, Any]) -> str:
    """Return a preset as the text of its file."""
    text = StringIO()
    yaml = YAML()
    yaml.width = 120
    yaml.dump(preset, text)
    return text.getvalue()


def interval_of(one: Parameter) -> str:
    """Return a parameter's interval in brackets, nothing where it was not fitted."""
    if one.low is None or one.high is None:
        return ""
    return f"[{one.low:.3g}, {one.high:.3g}]" if math.isfinite(one.high) else f"[{one.low:.3g}, ∞]"


def _round(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")
