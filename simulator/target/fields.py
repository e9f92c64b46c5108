"""The fields a target file's templates may name, such as `{shopper.id}`, and the evidence it may point to."""

from __future__ import annotations

from typing import Any, TypeAlias

Json: TypeAlias = Any
"""A JSON value: `orjson` has no narrower type for one."""

FIELDS = {
    "shopper.id": "the shopper's id on this device, the same in every visit, with our reserved prefix",
    "shopper.number": "the shopper's number",
    "shopper.name": "first and last name, in the script and order of their country",
    "shopper.first_name": "first name",
    "shopper.last_name": "last name",
    "shopper.email": "their own ASCII address under the reserved domain shopper.example",
    "shopper.password": "the password that goes with the address",
    "shopper.phone": "a number of their country that nobody has",
    "shopper.street": "street and house number",
    "shopper.postcode": "in the shape of their country",
    "shopper.city": "the city they live in",
    "shopper.card_brand": "visa, mastercard, amex, discover or jcb",
    "shopper.card_number": "a card number that payment services publish for tests",
    "shopper.country": "ISO 3166 code",
    "shopper.language": "first language of the phone, as de-DE",
    "shopper.currency": "ISO 4217 code",
    "shopper.time_zone": "IANA time zone of the city they live in",
    "place.lat": "latitude in degrees; missing without location consent",
    "place.lon": "longitude in degrees; missing without location consent",
    "place.positions": "a list of {lat, lon, at_ms}: where the phone was at each page since it last told it; missing "
    "without location consent",
    "consent.analytics": "true or false",
    "consent.personalization": "true or false",
    "consent.location": "true or false",
    "consent.push": "true or false",
    "consent.email": "true or false",
    "visit.id": "id of this visit",
    "visit.number": "which of the shopper's visits, from 0",
    "page.category": "category in view, in the target's own words; the favourite until another was chosen",
    "page.query": "what the shopper types to search in that category",
    "page.stuck_at": "the path of the call of this visit that last failed; missing where none did",
    "event.type": "what happened, in the words of the page's operation",
    "event.name": "the same as the target calls it, by `events`; where that leaves it out, it is not reported",
    "event.at_ms": "when it happened, milliseconds since 1970",
    "event.at_s": "the same in seconds",
    "event.at_us": "the same in microseconds",
    "event.at": "the same as ISO 8601 in UTC",
    "message.campaign": "the campaign of a message that is to be sent",
    "message.kind": "what became of the message extracted as `message`: opened or dismissed",
    "passkey.credential": "the phone's answer to WebAuthn options extracted as `passkey`; missing if no finger fits",
    "paging.number": "which request for a long answer this is, from 1",
    "paging.cursor": "where the next part of a long answer begins; missing for the first",
    "run.id": "id of this run",
}
"""Every field but `extracted.*`, which some operation of the file extracts, and `account.*`, columns of accounts."""

ACCOUNT = "account."
"""Prefix of the columns of the file of accounts."""
CURSOR, NUMBER = "paging.cursor", "paging.number"
EXTRACTED = "extracted."
"""Prefix of values taken from earlier answers."""
ALL = ".all"
"""After an extracted name: all candidates instead of the chosen one."""
SESSION = "{extracted.session}"
"""What a bearer token is unless the file says otherwise."""
PASSKEY, CREDENTIAL = "passkey", "passkey.credential"
"""What options of a WebAuthn ceremony are extracted as, and the field that holds the phone's answer."""
POSITIONS, KIND = "place.positions", "message.kind"
MESSAGE = "message"
"""What ids of messages are extracted as; a phone's receipt then names one of them."""
STUCK_AT = "page.stuck_at"
LINK = "link"
"""What a shared link is extracted as; whoever opens it finds somebody else's there."""
PICK = "pick"
"""Where a context keeps the integer that chooses among extracted candidates; no template can name it."""
