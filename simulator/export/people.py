"""Part `people`: who each shopper is, with everything that would be personal data if anybody were behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulator.export.reading import made
from simulator.export.source import Part
from simulator.journey.tables import CODE, NAME, Column
from simulator.target.people import Crowd

if TYPE_CHECKING:
    from simulator.export.source import Source

COLUMNS = (
    Column("shopper", pa.int64(), "number of the shopper"),
    Column("customer_id", pa.string(), "the id that a live run of this seed sends, with our reserved prefix; unique"),
    Column("first_name", pa.string(), "of their country"),
    Column("last_name", pa.string(), "of their country"),
    Column("name", pa.string(), "both, in the order of their country"),
    Column("email", pa.string(), "made of the name, under the reserved domain shopper.example; unique"),
    Column("phone", pa.string(), "E.164 with spaces; reserved for fiction, or unassigned by plan; not unique"),
    Column("street", pa.string(), "street and house number"),
    Column("postcode", pa.string(), "of the city where it is known, else of the country's shape"),
    Column("city", NAME, "home city"),
    Column("country", CODE, "ISO 3166 code"),
    Column("card_brand", pa.string(), "visa, mastercard, amex, discover or jcb"),
    Column("card_number", pa.string(), "a number that payment services publish for tests; shared by many"),
    Column("birth_year", pa.int16(), "18 to 80 years before the run's reference year"),
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
    return made(COLUMNS, columns)


PART = Part(
    "people",
    "Name, e-mail, phone, postal address, test card and birth year of every shopper; nobody real has any of them.",
    lambda source: {"people": people(source)},
)
