"""How vendors know shoppers and their phones: ids, and facts that follow from the shoppers table."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulator.export.columns import places
from simulator.export.ids import uuids
from simulator.export.vendors.steps import flags, words_of
from simulator.export.vendors.vocabulary import BRANDS, BROWSERS, SYSTEMS
from simulator.model.devices import device_table
from simulator.model.places import country_table
from simulator.target.identity import PREFIX

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulator.export.vendors.steps import Steps
    from simulator.model.devices import DeviceRow


def account_ids(steps: Steps) -> pa.Array:
    """Return the ids of all shoppers' accounts in each arm, arm after arm; see `account_of`.

    `ff`, the seed in hexadecimal and the shopper's number; and the arm, unless it is control: whoever is played in two
    arms is two users.
    """
    numbers = pc.cast(steps.source.shoppers["shopper"].combine_chunks(), pa.string())
    ids = pc.binary_join_element_wise(f"{PREFIX}-{steps.source.seed:x}-", numbers, "")
    arms = [ids if arm == 0 else pc.binary_join_element_wise(ids, name, "-") for arm, name in enumerate(steps.arms)]
    return pa.concat_arrays(arms or [ids])


def account_of(steps: Steps, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the place in `account_ids` of the shopper at each step."""
    return steps.arm[rows] * len(steps.source.shoppers) + steps.who[rows]


def visitor_ids(steps: Steps, rows: NDArray[np.int64]) -> pa.Array:
    """Return the id of the browser at each step: one a shopper and arm, a UUID."""
    return uuids(steps.source.seed, "visitor", steps.shopper[rows], steps.arm[rows])


def order_ids(steps: Steps, rows: NDArray[np.int64]) -> pa.Array:
    """Return the id of the order placed at each step, a UUID."""
    return uuids(steps.source.seed, "order", *(c[rows] for c in (steps.shopper, steps.visit, steps.step, steps.arm)))


def brand(model: str) -> str:
    """Return the brand of a device's model."""
    word = model.split(maxsplit=1)[0]
    return BRANDS.get(word, word)


def tells_model(device: DeviceRow) -> bool:
    """Return whether a site learns the model from the browser: only Chromium's client hints tell it."""
    return bool(device.client_hints)


@dataclass(frozen=True)
class Phones:
    """The phones of the shoppers, one entry a shopper; `table` is every known device by its place in `device`."""

    shoppers: pa.Table

    @cached_property
    def table(self) -> list[DeviceRow]:
        """Return the device table's rows."""
        return device_table().devices

    @cached_property
    def device(self) -> NDArray[np.int64]:
        """Return the place in `table`; −1 where the model is unknown."""
        return places(self.shoppers["device"], [device.model for device in self.table])

    def of_device(self, values: list[str | None]) -> pa.Array:
        """Return a column of one value for each row of `table`, null for unknown models."""
        words = pa.array([*values, None], pa.string())
        return words.take(pa.array(np.where(self.device < 0, len(values), self.device)))

    def described(self) -> dict[str, pa.Array]:
        """Return brand, model, system and browser as a web analytics tag learns them, one entry a shopper."""
        rows = self.table
        return {
            "category": pa.repeat(pa.scalar("mobile"), len(self.shoppers)),
            "mobile_brand_name": self.of_device([brand(row.model) for row in rows]),
            "mobile_model_name": self.of_device([model_told(row) for row in rows]),
            "mobile_marketing_name": self.of_device([model_told(row) for row in rows]),
            "operating_system": self.of_device([SYSTEMS[row.os] for row in rows]),
            "operating_system_version": self.of_device([f"{SYSTEMS[row.os]} {row.os_version}" for row in rows]),
        }

    def browsers(self) -> tuple[pa.Array, pa.Array]:
        """Return the browser's name and version, one entry a shopper."""
        return (
            self.of_device([BROWSERS[row.browser] for row in self.table]),
            self.of_device([row.browser_version for row in self.table]),
        )


def model_told(device: DeviceRow) -> str | None:
    """Return the model as a site learns it: every iPhone is `iPhone`, Firefox on Android tells nothing."""
    if device.os == "ios":
        return "iPhone"
    return device.model if tells_model(device) else None


def country_names(shoppers: pa.Table) -> pa.Array:
    """Return each shopper's country in words."""
    known = country_table()
    words = words_of(shoppers["country"])
    names = pa.array([known[word].name if word in known else None for word in words] + [None], pa.string())
    place = places(shoppers["country"], words)
    return names.take(pa.array(np.where(place < 0, len(words), place)))


def plain_text(column: pa.ChunkedArray) -> pa.Array:
    """Return a column of names as strings."""
    return pc.cast(column.combine_chunks(), pa.string())


def yes_no(column: pa.ChunkedArray, yes: str = "Yes", no: str = "No") -> pa.Array:
    """Return a column of booleans as two words."""
    return pc.if_else(pa.array(flags(column)), yes, no)
