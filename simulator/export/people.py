"""Part `people`: who each shopper is, with everything that would be personal data if anybody were behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulator.export.source import Part
from simulator.target.people import Crowd

if TYPE_CHECKING:
    from simulator.export.source import Source

SCHEMA = pa.schema(
    [
        pa.field("shopper", pa.int64()),
        pa.field("customer_id", pa.string()),
        pa.field("first_name", pa.string()),
        pa.field("last_name", pa.string()),
        pa.field("name", pa.string()),
        pa.field("email", pa.string()),
        pa.field("phone", pa.string()),
        pa.field("street", pa.string()),
        pa.field("postcode", pa.string()),
        pa.field("city", pa.dictionary(pa.int16(), pa.string())),
        pa.field("country", pa.dictionary(pa.int8(), pa.string())),
        pa.field("card_brand", pa.string()),
        pa.field("card_number", pa.string()),
        pa.field("birth_year", pa.int16()),
    ]
)


def people(source: Source) -> pa.Table:
    """Return the table `people`: one row a shopper, the same people that live load of this seed would send."""
    shoppers = source.shoppers
    country, city = (shoppers[name].combine_chunks() for name in ("country", "city"))
    lives, where = (column.indices.to_numpy().astype(np.int64) for column in (country, city))
    home = np.zeros(len(city.dictionary), np.int64)
    home[where] = lives
    crowd = Crowd(source.seed, country.dictionary.to_pylist(), city.dictionary.to_pylist(), home)
    known = crowd.people(shoppers["shopper"].to_numpy(), lives, where)
    born = pc.subtract(pa.scalar(source.reference.year - 1, pa.int16()), known.pop("age"))
    columns = known | {"customer_id": known.pop("id"), "city": city, "country": country, "birth_year": born}
    columns["shopper"] = shoppers["shopper"].combine_chunks()
    return pa.table([columns[field.name].cast(field.type) for field in SCHEMA], schema=SCHEMA)


PART = Part(
    "people",
    "Name, e-mail, phone, postal address, test card and birth year of every shopper; nobody real has any of them.",
    lambda source: {"people": people(source)},
)
