"""The hazards of personalization, and what a target file must make observable before each can be judged.

`HAZARDS` is the one definition: checks of a running target build on it, and `footfall target check` prints it. A hazard
has one or more ways to be judged; each way is a list of needs, all of which one target file must meet. What is not
observable is said to be so, and never counts as held.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from simulator.target.fields import EXTRACTED
from simulator.target.sends import Sends, sends_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from simulator.target.request import Target

SHOWN = ("home", "search", "suggest", "category", "product", "recommend", "rank", "next_action", "offers", "content")
"""Operations that show something chosen for somebody."""
OWN = ("loyalty_balance", "loyalty_redeem", "cart", "checkout", "purchase", "support", "share", "content")
"""Operations that show what belongs to somebody, or what only they may open."""
LISTED = ("home", "search", "category", "product", "recommend", "price")
PAID = ("add_to_cart", "cart", "checkout", "payment", "purchase")
OFFERING = ("home", "offers", "geofence", "store_near", "next_action")
ACTS = ("track", "add_to_cart", "purchase", "exposure")
_MOST_NAMED = 3
LOCAL = ("place.", "shopper.country", "shopper.time_zone")
WHO = ("shopper.id", "shopper.number", "shopper.email", "visit.id", "account.", EXTRACTED)
"""Fields that tell a target whose request it is."""


class Need(NamedTuple):
    """Something a target file must have: of `operations` (empty: any) one is mapped that meets all the rest.

    `evidence` names pieces of which one must be observable, `sends` beginnings of fields of which one must be sent;
    `readings` is one of these readings instead of an operation; `session` that the file knows sessions; `token` that
    an attribution token is sent back.
    """

    operations: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    sends: tuple[str, ...] = ()
    in_path: tuple[str, ...] = ()
    readings: tuple[str, ...] = ()
    session: bool = False
    token: bool = False

    def __str__(self) -> str:
        """Say what is needed, in words that name what to write into the target file."""
        if self.session:
            return "a session: auth of kind cookie or bearer"
        if self.readings:
            shown = f" with evidence {_any(self.evidence)}" if self.evidence else ""
            return f"readings.{_any(self.readings)}{shown}"
        words = [_any(self.operations) or "any operation"]
        if self.evidence:
            words.append(f"with evidence {_any(self.evidence)}")
        if self.sends:
            words.append(f"sending {_any(field.rstrip('.') for field in self.sends)}")
        if self.token:
            words.append("sending back an extracted token")
        if self.in_path:
            words.append("with an extracted id in its path")
        return " ".join(words)


def _any(names: Iterable[str]) -> str:
    """Return a choice in words; of a long one the beginning and how many more there are."""
    all_names = list(names)
    if len(all_names) > _MOST_NAMED + 1:
        all_names[_MOST_NAMED:] = [f"{len(all_names) - _MOST_NAMED} more"]
    return " or ".join(all_names)


@dataclass(frozen=True, slots=True)
class Hazard:
    """One way in which personalization goes wrong.

    `kind` is how it is shown: `echo`, `metamorphic`, `temporal`, `attribution`, `statistical` or `contract`; `says` is
    what must hold; `ways` the lists of needs by which it can be judged, the strongest first.
    """

    code: str
    name: str
    kind: str
    says: str
    ways: tuple[tuple[Need, ...], ...]


def _shown(*evidence: str, sends: tuple[str, ...] = ()) -> Need:
    return Need(SHOWN, evidence, sends)


ITEMS, MINE = ("items",), ("subject", "token", "segments")

HAZARDS: tuple[Hazard, ...] = (
    Hazard("H1", "leak", "echo", "no answer holds another shopper's data",
           ((Need((*SHOWN, *OWN), ("subject",), WHO),), (_shown("token", "segments", "items", sends=WHO),))),
    Hazard("H2", "cached_session", "contract", "no session is given to two shoppers, or kept by a cache",
           ((Need(("session", "login", "identify", "auth_finish"), sends=WHO), Need(session=True)),)),
    Hazard("H3", "wrong_place", "echo", "an offer holds where the shopper is",
           ((Need(OFFERING, ("fences",), ("place.",)),),)),
    Hazard("H4", "place_ignored", "metamorphic", "another place changes what is offered",
           ((Need(OFFERING, ("fences",), LOCAL),), (Need(("offers", "store_near"), ITEMS, LOCAL),))),
    Hazard("H5", "place_format", "metamorphic", "the same place in another spelling changes nothing",
           ((Need((*OFFERING, *SHOWN), ITEMS, LOCAL),),)),
    Hazard("H6", "consent_ignored", "metamorphic", "who refused personalization gets what everybody gets",
           ((Need(sends=("consent.personalization", "consent.analytics")), _shown("items", "subject", "segments")),)),
    Hazard("H7", "late_opt_out", "temporal", "after an opt-out and its grace nothing is sent",
           ((Need(("consent_set", "push_register"), sends=("consent.", "shopper.", EXTRACTED)),
             Need(readings=("inbox",), evidence=("sent_at",))),)),
    Hazard("H8", "pushy", "temporal", "messages keep caps, quiet hours and local time, and stop after 410",
           ((Need(readings=("inbox",), evidence=("sent_at",)),),
            (Need(("push_send",), ("sent_at",)), Need(("push_register",))))),
    Hazard("H9", "flip_at_login", "temporal", "the variant before a login is the variant after it",
           ((Need((*SHOWN, "decide", "session", "price"), ("variant",)), Need(("login", "identify", "auth_finish"))),)),
    Hazard("H10", "flicker", "temporal", "the same shopper asked twice has one variant",
           ((Need((*SHOWN, "decide", "session", "price"), ("variant",)),),)),
    Hazard("H11", "sample_ratio", "statistical", "variants have the shares they were given",
           ((Need((*SHOWN, "decide", "session", "price", "login"), ("variant",)),),)),
    Hazard("H12", "stale_price", "temporal", "the price shown is the price in the cart",
           ((Need(LISTED, ("price",)), Need(PAID, ("price", "total"))),)),
    Hazard("H13", "capability_url", "contract", "an id alone opens nothing: not without credentials, not with others'",
           ((Need(OWN, in_path=(EXTRACTED,)),), (Need(OWN, ("subject",), (EXTRACTED,)),))),
    Hazard("H14", "attribution", "attribution", "what is reported carries a token of this shopper and this session",
           ((_shown("token"), Need(ACTS, token=True)),)),
    Hazard("H15", "dropped_events", "contract", "what was accepted can be read back",
           ((Need(("track",)), Need(readings=("events",), evidence=("stored", "items"))),
            (Need(("track",), ("stored",)),))),
    Hazard("H16", "cold_start", "contract", "somebody new gets an answer that is not empty", ((_shown("items"),),)),
    Hazard("H17", "fallback", "statistical", "the personalised share does not fall with load",
           ((_shown("fallback"),), (_shown("items", sends=WHO),))),
    Hazard("H18", "concurrency", "statistical", "what holds for one shopper holds for many",
           ((Need((*SHOWN, *OWN, *PAID, "decide"), ("items", "subject", "price", "variant", "token", "total")),),)),
    Hazard("H19", "unavailable", "echo", "nothing is shown that is sold out or was just bought",
           ((_shown("in_stock"), _shown("items")), (_shown("items"), Need(("purchase",))))),
    Hazard("H20", "passkey", "contract", "a replayed, cloned or foreign signature is refused",
           ((Need(("auth_begin",)), Need(("auth_finish",))),)),
    Hazard("H21", "ar_asset", "contract", "the model fits the device: format, ranges, size", ((Need(("ar_asset",)),),)),
    Hazard("H22", "learned_from", "statistical", "a test run leaves popularity and exposures as they were",
           ((Need(readings=("popularity", "exposures"), evidence=("counts",)),),)),
    Hazard("H23", "wrong_market", "contract", "language and currency are those of the shopper's place",
           ((Need(evidence=("currency", "language"), sends=("shopper.country", "shopper.lang", "shopper.curr")),),
            (Need(evidence=("currency", "language")), Need(session=True)))),
    Hazard("H24", "forgotten", "temporal", "who comes back is known again",
           ((Need((*SHOWN, "session", "identify"), ("segments", "fallback", "subject"), WHO),),)),
    Hazard("H25", "server_clock", "metamorphic", "the same local hour in two zones is treated alike",
           ((Need(SHOWN, ("daypart", "segments"), LOCAL),),)),
)  # fmt: skip
"""H1 to H25: what must hold, and the evidence that judging it needs."""


@dataclass(frozen=True, slots=True)
class Judgeable:
    """Whether a target file lets one hazard be judged: by these operations, or not for want of these needs."""

    hazard: Hazard
    operations: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether it can be judged."""
        return not self.missing


def judgeable(target: Target) -> list[Judgeable]:
    """Return for each hazard whether a target's file makes enough observable to judge it, in the order of the table."""
    sends = sends_of(target)
    has_session = target.auth in {"cookie", "bearer"}
    return [_judged(hazard, target, sends, has_session=has_session) for hazard in HAZARDS]


def _judged(hazard: Hazard, target: Target, sends: Mapping[str, Sends], *, has_session: bool) -> Judgeable:
    best: Judgeable | None = None
    for way in hazard.ways:
        met = [_meeting(need, target, sends, has_session=has_session) for need in way]
        missing = tuple(str(need) for need, found in zip(way, met, strict=True) if not found)
        here = Judgeable(hazard, tuple(dict.fromkeys(name for found in met for name in found if name)), missing)
        if here.ok:
            return here
        if best is None or len(missing) < len(best.missing):
            best = here
    assert best is not None
    return best


def _meeting(need: Need, target: Target, sends: Mapping[str, Sends], *, has_session: bool) -> list[str]:
    """Return the operations or readings that meet a need; one empty name where it is no operation's to meet."""
    if need.session:
        return [""] if has_session else []
    if need.readings:
        names = [name for name in target.readings if name.partition(".")[2] in need.readings]
    else:
        names = [name for name in target.operations if not need.operations or name in need.operations]
    return [name for name in names if _meets(need, target.observable(name), sends[name])]


def _meets(need: Need, observable: frozenset[str], sends: Sends) -> bool:
    return (
        (not need.evidence or bool(observable & set(need.evidence)))
        and (not need.token or sends.token)
        and (not need.sends or any(field.startswith(need.sends) for field in sends.fields))
        and (not need.in_path or any(field.startswith(need.in_path) for field in sends.in_path))
    )
