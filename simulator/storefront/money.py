"""What a thing costs where: one base price in pounds, a fixed rate per currency, whole prices that look like a shop's.

Prices are integers in the currency's minor unit (pence, cents; yen have none). The rates are fixed on purpose:
a shop whose prices moved between two answers would make every price probe ambiguous.
"""

from dataclasses import dataclass
from functools import cache

BASE = "GBP"


@dataclass(frozen=True, slots=True)
class Currency:
    """A currency: its ISO 4217 code, units per pound, and how many digits its minor unit has (2, or 0)."""

    code: str
    rate: float
    digits: int = 2
    symbol: str = ""


_CURRENCIES = {
    c.code: c
    for c in (
        Currency("GBP", 1.0, symbol="£"),
        Currency("EUR", 1.17, symbol="€"),
        Currency("USD", 1.27, symbol="$"),
        Currency("CAD", 1.73, symbol="C$"),
        Currency("AUD", 1.93, symbol="A$"),
        Currency("NZD", 2.10, symbol="NZ$"),
        Currency("CHF", 1.12),
        Currency("DKK", 8.72),
        Currency("SEK", 13.4),
        Currency("NOK", 13.7),
        Currency("PLN", 5.0),
        Currency("TRY", 41.0),
        Currency("AED", 4.66),
        Currency("INR", 106.0, symbol="₹"),
        Currency("SGD", 1.70, symbol="S$"),
        Currency("HKD", 9.9, symbol="HK$"),
        Currency("CNY", 9.1),
        Currency("JPY", 190.0, digits=0, symbol="¥"),
        Currency("KRW", 1740.0, digits=0, symbol="₩"),
        Currency("MXN", 23.5),
        Currency("BRL", 6.9, symbol="R$"),
        Currency("ARS", 1250.0),
        Currency("ZAR", 23.3),
        Currency("NGN", 1950.0),
        Currency("KES", 164.0),
        Currency("EGP", 62.0),
    )
}

_EURO = ("AT", "BE", "CY", "DE", "EE", "ES", "FI", "FR", "GR", "HR", "IE", "IT", "LT", "LU", "LV", "MT", "NL", "PT")
_OWN = {
    "GB": "GBP", "US": "USD", "CA": "CAD", "AU": "AUD", "NZ": "NZD", "CH": "CHF", "DK": "DKK", "SE": "SEK",
    "NO": "NOK", "PL": "PLN", "TR": "TRY", "AE": "AED", "IN": "INR", "SG": "SGD", "HK": "HKD", "CN": "CNY",
    "JP": "JPY", "KR": "KRW", "MX": "MXN", "BR": "BRL", "AR": "ARS", "ZA": "ZAR", "NG": "NGN", "KE": "KES",
    "EG": "EGP", "SI": "EUR", "SK": "EUR",
}  # fmt: skip
_BY_COUNTRY = dict.fromkeys(_EURO, "EUR") | _OWN


def currency_of(country: str) -> str:
    """Return the currency the shop charges in that ISO 3166 country; dollars where it has no own price list."""
    return _BY_COUNTRY.get(country, "USD")


@cache
def price_in(currency: str, base_minor: int) -> int:
    """Turn a base price (pence) into that currency's minor units, rounded to a price a shop would print."""
    known = _CURRENCIES[currency]
    if currency == BASE:
        return base_minor
    if known.digits == 0:
        return max(10, round(base_minor / 100 * known.rate / 10) * 10)
    return max(99, round(base_minor * known.rate / 100) * 100 - 1)


def in_base(currency: str, minor: int) -> float:
    """Return what an amount in a currency's minor units is worth in pounds."""
    known = _CURRENCIES[currency]
    return float(minor / 10**known.digits / known.rate)


def money_text(currency: str, minor: int) -> str:
    """Write minor units for a person: `£12.99`, `¥2,470`, `129.99 SEK`."""
    known = _CURRENCIES[currency]
    number = f"{minor / 10**known.digits:,.{known.digits}f}"
    return f"{known.symbol}{number}" if known.symbol else f"{number} {currency}"
