"""What a target file may say: which request each operation makes, and where its answer shows what.

`Rest.kind` is the place where other kinds of calls (GraphQL) will join: a union over `kind`, and one more compiler in
`simulator.target.call`.
"""

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from simulator.model.schema import CATEGORIES, CONSENTS
from simulator.model.units import Duration
from simulator.page.card import Operation, Placement
from simulator.target.fields import SESSION, Json
from simulator.target.login import refuse_open_password, split_login


def _as_text(value: object) -> object:
    """Let `12` and `true` stand without quotes where text is sent."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else value


def parse_host(text: str) -> str:
    """Return a base URL without its last slash. Raises `ValueError` that says what is allowed."""
    refuse_open_password(text)
    try:
        parts = urlsplit(split_login(text)[0])
        good = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:  # no port, or no address
        good = False
    if not good or parts.query or parts.fragment:
        raise ValueError("must be a base URL, as https://shop.example")
    return text.rstrip("/")


Template = Annotated[
    str,
    BeforeValidator(_as_text),
    WithJsonSchema({"type": ["string", "number", "boolean"], "description": "text with {fields}"}),
]
JsonPath = Annotated[str, WithJsonSchema({"type": "string", "pattern": r"^\$"})]
Status = Annotated[int, Field(ge=100, le=599)]


class Section(BaseModel):
    """A part of a file: unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Auth(Section):
    """How the target knows whose call it is. Cookies always return to who sent them, whatever stands here."""

    kind: Literal["none", "bearer", "cookie"] = "none"
    token: Annotated[str, Field(description="bearer: sent as soon as it is known")] = SESSION


class Expect(Section):
    """What a good answer looks like."""

    status: Annotated[list[Status], Field(min_length=1)]


class Evidence(Section):
    """Where an answer shows what was personalised, and how. What has no path is not observable, never passed."""

    items: Annotated[JsonPath | None, Field(description="ids of what is shown, best first")] = None
    categories: Annotated[JsonPath | None, Field(description="category of each item, for relevance")] = None
    price: Annotated[JsonPath | None, Field(description="price of each item")] = None
    currency: Annotated[JsonPath | None, Field(description="currency of the prices")] = None
    in_stock: Annotated[JsonPath | None, Field(description="whether each item can be had")] = None
    total: Annotated[JsonPath | None, Field(description="price of the whole cart or order")] = None
    subject: Annotated[JsonPath | None, Field(description="whose data the answer was made of")] = None
    segments: Annotated[JsonPath | None, Field(description="segments the subject was put into")] = None
    variant: Annotated[JsonPath | None, Field(description="arm of the target's own experiment")] = None
    token: Annotated[JsonPath | None, Field(description="attribution token of what is shown")] = None
    fallback: Annotated[JsonPath | None, Field(description="personalization gave way to what everybody gets")] = None
    generated_at: Annotated[JsonPath | None, Field(description="when the answer was made")] = None
    geo_used: Annotated[JsonPath | None, Field(description="the position the answer was made for")] = None
    fences: Annotated[JsonPath | None, Field(description="where each offer holds")] = None
    language: Annotated[JsonPath | None, Field(description="language of the content")] = None
    stored: Annotated[JsonPath | None, Field(description="how many events were kept")] = None


class Rest(Section):
    """One request and how to read its answer."""

    kind: Literal["rest"] = "rest"
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "GET"
    path: Annotated[str, Field(description="begins with /", json_schema_extra={"pattern": "^/"})]
    query: dict[str, Template] = {}
    headers: dict[str, Template] = {}
    body: Annotated[Json, Field(alias="json", description="any JSON; a string that is one {field} keeps its type")] = (
        None
    )
    form: dict[str, Template] = {}
    expect: Annotated[Expect | None, Field(description="default: any status from 200 to 299")] = None
    extract: Annotated[
        dict[str, JsonPath],
        Field(description="name: JSONPath; `?` after it: may be missing; more finds are candidates"),
    ] = {}
    evidence: Evidence = Evidence()
    placement: Annotated[Placement | None, Field(description="overrides the page card")] = None
    timeout: Annotated[Duration | None, Field(description="overrides the file's")] = None
    needs: Annotated[list[Literal[CONSENTS]], Field(description="consents without which no call is made")] = []  # type: ignore[valid-type] # the names stand once
    once: Annotated[Literal["visit"] | None, Field(description="made until it has worked once")] = None


class Words(Section):
    """What the target calls one of our categories, and what people type to find it."""

    slug: str
    queries: Annotated[list[str], Field(min_length=1)]


class TargetFile(Section):
    """A system under test and the map from actions to its requests."""

    target: str
    describe: str | None = None
    host: Annotated[str, AfterValidator(parse_host)] | None = None
    timeout: Duration = 30.0
    headers: Annotated[dict[str, Template], Field(description="sent with every request")] = {}
    auth: Auth = Auth()
    opening: Annotated[
        list[Operation] | None, Field(description="made before the first page; default: session, where mapped")
    ] = None
    categories: Annotated[
        dict[Literal[CATEGORIES], Words],  # type: ignore[valid-type] # the names stand once
        Field(description="words for categories; one that is missing is called by our name"),
    ] = {}
    setup: Annotated[dict[str, Rest], Field(description="requests made once a run, in this order")] = {}
    operations: dict[Operation, Rest]
