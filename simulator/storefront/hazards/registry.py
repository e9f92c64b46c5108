"""What a hazard is, and the list that every module of this package adds to."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from simulator.storefront.rules import Rules

Defect: TypeAlias = "Callable[[Rules], Rules]"
"""Returns the rules with one of them wrong. Called once a shop, so that what a defect remembers is that shop's."""


@dataclass(frozen=True, slots=True)
class Hazard:
    """One way in which personalization goes wrong.

    `code` is the family it belongs to (H1 to H25), `operations` those whose answers it can touch, `only_together` says
    that it needs requests that overlap.
    """

    name: str
    code: str
    does: str
    operations: tuple[str, ...]
    only_together: bool
    apply: Defect

    @property
    def number(self) -> int:
        """The number in `code`."""
        return int(self.code[1:])


HAZARDS: dict[str, Hazard] = {}
"""All hazards by name; filled as the modules are imported."""


def hazard(code: str, *operations: str, only_together: bool = False) -> Callable[[Defect], Defect]:
    """Register a defect under its function's name; the first paragraph of its docstring is what it does."""

    def register(defect: Defect) -> Defect:
        name = defect.__name__
        does = " ".join((defect.__doc__ or "").split("\n\n")[0].split())
        HAZARDS[name] = Hazard(name, code, does, operations, only_together, defect)
        return defect

    return register
