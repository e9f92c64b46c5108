"""What two runs must have in common to be compared: their settings, a digest of them, and how two differ.

What is under test is no setting: the host, the target's release, a modelled backend's stations. Neither are thresholds,
which only judge. The seed may differ too: then other shoppers came, which the intervals count.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulator.analysis.manifest import Manifest

NO_SETTINGS = (
    "scenario", "describe", "thresholds", "min_samples", "host", "allowed_hosts", "seed", "target", "population",
)  # fmt: skip
"""Keys of a scenario that decide nothing of what shoppers do, or whose files have a digest of their own."""


def settings(manifest: Manifest) -> dict[str, str]:
    """Return every setting of a run by its dotted name."""
    parts = manifest.settings or {"digest": manifest.digest}
    scenario = {key: value for key, value in manifest.scenario.items() if key not in NO_SETTINGS}
    times = (manifest.backend or {}).get("times")
    return {
        "world": manifest.world,
        "footfall": manifest.footfall,
        **({"times": _text(times)} if times is not None else {}),
        **dict(_leaves("scenario", scenario)),
        **{f"digest of {name}": digest for name, digest in parts.items()},
    }


def settings_digest(manifest: Manifest) -> str:
    """Return the SHA-256 of a run's settings."""
    return hashlib.sha256(json.dumps(settings(manifest), sort_keys=True).encode()).hexdigest()


def differences(run: Manifest, other: Manifest) -> list[str]:
    """Return one sentence for each setting that differs, in the order of the run's."""
    here, there = settings(run), settings(other)
    return [
        f"{name} differs" if name.startswith("digest of ") and name in here and name in there
        else f"{name} is {here.get(name, 'not set')}, was {there.get(name, 'not set')}"
        for name in dict.fromkeys([*here, *there])
        if here.get(name) != there.get(name)
    ]  # fmt: skip


def _leaves(name: str, value: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - any JSON value
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _leaves(f"{name}.{key}", inner)
    elif isinstance(value, list) and value:
        for place, inner in enumerate(value):
            yield from _leaves(f"{name}.{place}", inner)
    else:
        yield name, _text(value)


def _text(value: Any) -> str:  # noqa: ANN401 - any JSON value
    return value if isinstance(value, str) else json.dumps(value)
