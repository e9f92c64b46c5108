"""Where shipped files are: beside the package in a checkout, inside it in a wheel; a user's own path always wins."""

from __future__ import annotations

from pathlib import Path

from simulator.model.faults import one_fault, suggestion

PACKAGE = Path(__file__).resolve().parent.parent


def library_folder(kind: str) -> Path:
    """Return the shipped folder `kind`, as `personas` or `locustfiles/targets`."""
    for root in (PACKAGE / "_library", PACKAGE.parent):
        if (root / kind).is_dir():
            return root / kind
    raise FileNotFoundError(kind)


def shipped(kind: str) -> dict[str, Path]:
    """Return the shipped YAML files of a folder by name, sorted."""
    return {path.stem: path for path in sorted(library_folder(kind).glob("*.yaml"))}


def resolve(name: str, kind: str, *, what: str, beside: Path | None = None) -> Path:
    """Return the file meant by `name`: a path, a file beside the one that names it, or a shipped file's name.

    Raises `FileFaults` with the shipped names and the nearest one when nothing fits.
    """
    candidates = [Path(name), *([beside / name, beside / f"{name}.yaml"] if beside else [])]
    for candidate in candidates:
        if candidate.suffix in {".yaml", ".yml"} and candidate.is_file():
            return candidate
    files = shipped(kind)
    if name in files:
        return files[name]
    looks_like_path = name.endswith((".yaml", ".yml")) or "/" in name
    found = "does not exist" if looks_like_path else f"is not a shipped {what}"
    raise one_fault(name, found, f"shipped are {', '.join(files)}", suggestion(name, files))
