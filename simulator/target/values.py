"""What a visit's templates may name: most of it stands there, the dear part is found out when it is asked for.

Few targets name a shopper's street or card, and a visit that made them up all the same would cost as much as a request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.target.fields import Json

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Values(dict[str, Json]):
    """Values by field. `later` is asked once for one that is not there, and returns it with what comes with it.

    Iteration tells what has stood there, or been asked for, so far.
    """

    __slots__ = ("_later",)

    def __init__(
        self, known: Mapping[str, Json], later: Callable[[Mapping[str, Json], str], Mapping[str, Json]]
    ) -> None:
        super().__init__(known)
        self._later = later

    def __missing__(self, name: str) -> Json:
        """Find a value out. Raises `KeyError` with its name where there is none."""
        found = self._later(self, name)
        if name not in found:
            raise KeyError(name)
        self.update(found)
        return found[name]

    def get(self, name: str, default: Json = None) -> Json:
        """Return a value, found out if need be, or the default."""
        try:
            return self[name]
        except KeyError:
            return default

    def __contains__(self, name: object) -> bool:
        """Return whether there is a value, found out if need be."""
        try:
            self[name]  # type: ignore[index] # whatever is asked for
        except KeyError:
            return False
        return True
