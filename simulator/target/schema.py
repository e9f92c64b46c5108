"""What a target file may say: which request each operation makes, and where its answer shows what."""

from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    WithJsonSchema,
)

from simulator.model.schema import CATEGORIES, CONSENTS
from simulator.model.units import Duration
from simulator.page.card import Operation, Placement
from simulator.target.fields import SESSION, Json
from simulator.target.login import address_of, refuse_open_password


def _as_text(value: object) -> object:
    """Let `12` and `true` stand without quotes where text is sent."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else value


def parse_host(text: str) -> str:
    """Return a base URL without its last slash; what it refers to stays a reference, for secrets belong into no file.

    Raises `ValueError` that says what is allowed.
    """
    refuse_open_password(text)
    try:
        parts = urlsplit(address_of(text, unset="x"))
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
READINGS = ("inbox", "events", "popularity", "exposures", "profile", "uninstall")
"""What a target may let a tester read back: messages to a shopper, their events, what is popular, counts of variants,
what is known of a shopper. `uninstall` reads nothing: it takes the app off a phone; then its push service says 410."""
Reading = Literal[READINGS]  # type: ignore[valid-type] # the names stand once
Status = Annotated[int, Field(ge=100, le=599)]


class Section(BaseModel):
    """A part of a file: unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Place(Section):
    """Where in an answer a value stands: exactly one of `json`, `header`, `cookie`, `regex` and `css`."""

    json_path: Annotated[JsonPath | None, Field(alias="json", description="JSONPath (RFC 9535) in the body")] = None
    header: Annotated[str | None, Field(description="name of a header")] = None
    cookie: Annotated[str | None, Field(description="name of a cookie that this answer sets")] = None
    regex: Annotated[
        str | None, Field(description="in the body's text, or in `header`; its group is what is taken")
    ] = None
    css: Annotated[str | None, Field(description="CSS selector in the body as HTML; takes the text")] = None
    attribute: Annotated[str | None, Field(description="beside css: takes this attribute instead of the text")] = None
    every: Annotated[bool, Field(description="regex, css: takes all that is found, as candidates or a list")] = False
    optional: Annotated[bool, Field(description="may find nothing, as `?` after a JSONPath")] = False
    equals: Annotated[
        Any, Field(description="makes true or false of what is found: whether it is this, or one of this list")
    ] = None


def at_path(path: str) -> Place:
    """Return the place that a JSONPath names."""
    return Place.model_validate({"json": path})


def _kind_of_place(value: object) -> str:
    return "[place]" if isinstance(value, dict | Place) else "[path]"


AnyPlace = Annotated[
    Annotated[JsonPath, Tag("[path]")] | Annotated[Place, Tag("[place]")], Discriminator(_kind_of_place)
]
"""A JSONPath, or a mapping that names another place."""


class Auth(Section):
    """How the target knows whose call it is. Cookies always return to who sent them, whatever stands here."""

    kind: Literal["none", "bearer", "cookie", "basic", "api_key", "aws"] = "none"
    token: Annotated[Template, Field(description="bearer: sent as soon as it is known")] = SESSION
    user: Annotated[Template | None, Field(description="basic: the name; aws: the access key id")] = None
    password: Annotated[Template | None, Field(description="basic: the password; aws: the secret access key")] = None
    header: Annotated[str | None, Field(description="api_key: the header that carries the key")] = None
    query: Annotated[str | None, Field(description="api_key: the query parameter that carries the key")] = None
    key: Annotated[Template | None, Field(description="api_key: the key; sent as soon as it is known")] = None
    region: Annotated[Template | None, Field(description="aws: the region that requests are signed for")] = None
    service: Annotated[str | None, Field(description="aws: the service that requests are signed for")] = None
    session: Annotated[Template | None, Field(description="aws: the session token of temporary keys")] = None


class Expect(Section):
    """What a good answer looks like."""

    status: Annotated[list[Status] | None, Field(min_length=1, description="default: any from 200 to 299")] = None
    empty: Annotated[
        list[JsonPath], Field(description="where a good answer has nothing, as a list of errors that comes with a 200")
    ] = []


class GraphQL(Section):
    """The body of a GraphQL request; its answer is bad where it lists `errors`, whatever its status."""

    query: Annotated[str, Field(min_length=1, description="the document, sent as it stands")]
    variables: Annotated[dict[str, Json], Field(description="any JSON, with {fields}")] = {}
    operation: Annotated[str | None, Field(description="which operation of the document")] = None


class Paging(Section):
    """How the rest of a long answer is asked for: the same request again, as long as there is more."""

    next: Annotated[
        AnyPlace, Field(description="cursor, number or URL of what comes next; nothing, null, false or empty ends it")
    ]
    link: Annotated[bool, Field(description="what `next` finds is the URL of the next request")] = False
    most: Annotated[int, Field(ge=2, le=100, description="requests at most, the first included")] = 3


class Poll(Section):
    """Asked again until what was done is seen."""

    until: Annotated[AnyPlace | None, Field(description="seen: finds something but null, false or empty")] = None
    status: Annotated[list[Status], Field(description="statuses that say: not yet")] = [404]
    every: Annotated[Duration, Field(description="time between two requests")] = 1.0
    most: Annotated[int, Field(ge=2, le=100, description="requests at most")] = 10


class Evidence(Section):
    """Where an answer shows what was personalised, and how. What has no path is not observable, never passed."""

    items: Annotated[AnyPlace | None, Field(description="ids of what is shown, best first")] = None
    categories: Annotated[AnyPlace | None, Field(description="category of each item, for relevance")] = None
    price: Annotated[AnyPlace | None, Field(description="price of each item")] = None
    currency: Annotated[AnyPlace | None, Field(description="currency of the prices")] = None
    in_stock: Annotated[AnyPlace | None, Field(description="whether each item can be had")] = None
    total: Annotated[AnyPlace | None, Field(description="price of the whole cart or order")] = None
    subject: Annotated[AnyPlace | None, Field(description="whose data the answer was made of")] = None
    segments: Annotated[AnyPlace | None, Field(description="segments the subject was put into")] = None
    variant: Annotated[AnyPlace | None, Field(description="arm of the target's own experiment")] = None
    token: Annotated[AnyPlace | None, Field(description="attribution token of what is shown")] = None
    fallback: Annotated[AnyPlace | None, Field(description="personalization gave way to what everybody gets")] = None
    generated_at: Annotated[AnyPlace | None, Field(description="when the answer was made")] = None
    geo_used: Annotated[AnyPlace | None, Field(description="the position the answer was made for")] = None
    fences: Annotated[AnyPlace | None, Field(description="where each offer holds")] = None
    language: Annotated[AnyPlace | None, Field(description="language of the content")] = None
    daypart: Annotated[
        AnyPlace | None, Field(description="the part of the day that the answer was made for, as morning")
    ] = None
    stored: Annotated[AnyPlace | None, Field(description="how many events were kept")] = None
    attributed: Annotated[
        AnyPlace | None, Field(description="how many events were found to follow from what this shopper was shown")
    ] = None
    counts: Annotated[
        AnyPlace | None, Field(description="how often each was looked at or shown, all people together")
    ] = None
    balance: Annotated[AnyPlace | None, Field(description="points that the shopper has")] = None
    campaign: Annotated[AnyPlace | None, Field(description="which campaign each offer or message belongs to")] = None
    sent_at: Annotated[AnyPlace | None, Field(description="when each message was sent")] = None
    expires_at: Annotated[AnyPlace | None, Field(description="until when each offer or message holds")] = None
    link: Annotated[AnyPlace | None, Field(description="an address that was made to be given to others")] = None


class Rest(Section):
    """One request and how to read its answer."""

    method: Annotated[
        Literal["GET", "POST", "PUT", "PATCH", "DELETE"] | None, Field(description="default: GET; POST with graphql")
    ] = None
    path: Annotated[str, Field(description="begins with /", json_schema_extra={"pattern": "^/"})]
    query: dict[str, Template] = {}
    headers: dict[str, Template] = {}
    body: Annotated[Json, Field(alias="json", description="any JSON; a string that is one {field} keeps its type")] = (
        None
    )
    form: dict[str, Template] = {}
    text: Annotated[Template | None, Field(description="a body of any other type; name it in headers")] = None
    graphql: Annotated[GraphQL | None, Field(description="a GraphQL body")] = None
    expect: Annotated[Expect | None, Field(description="default: any status from 200 to 299")] = None
    extract: Annotated[
        dict[str, AnyPlace],
        Field(description="name: JSONPath or place; `?` after it: may be missing; more finds are candidates"),
    ] = {}
    evidence: Evidence = Evidence()
    placement: Annotated[Placement | None, Field(description="overrides the page card")] = None
    timeout: Annotated[Duration | None, Field(description="overrides the file's")] = None
    needs: Annotated[list[Literal[CONSENTS]], Field(description="consents without which no call is made")] = []  # type: ignore[valid-type] # the names stand once
    once: Annotated[
        Literal["visit", "shopper"] | None, Field(description="made until it has worked once: a visit, or a shopper")
    ] = None
    paging: Annotated[Paging | None, Field(description="asks for the rest of a long answer")] = None
    poll: Annotated[Poll | None, Field(description="asks again until something is seen")] = None


class Setup(Rest):
    """A request made before anybody visits."""

    each: Annotated[Literal["account"] | None, Field(description="made once for each account of the file")] = None


class Accounts(Section):
    """Accounts that exist already, a row each; `{account.column}` is a shopper's own."""

    file: Annotated[str, Field(description="a CSV file with a header, beside the target file")]
    share: Annotated[
        bool, Field(description="several shoppers may have one account; else whoever finds none left has none")
    ] = False


class ConsentWords(Section):
    """What the target calls a consent that was given, and one that was not."""

    granted: str
    refused: str


class Words(Section):
    """What the target calls one of our categories, and what people type to find it."""

    slug: str
    queries: Annotated[list[str], Field(min_length=1)]


class Promises(Section):
    """What a target promises, for probes to hold it to; where nothing is said, these are what good shops do."""

    currencies: Annotated[
        list[str], Field(description="that it sells in, ISO 4217; shoppers with others are not judged")
    ] = []
    languages: Annotated[
        list[str], Field(description="that it speaks, as `de`; shoppers with others are not judged")
    ] = []
    variant_shares: Annotated[
        dict[str, Annotated[float, Field(gt=0)]],
        Field(description="weights of the arms; without them their shares are not judged"),
    ] = {}
    price_grace: Annotated[Duration, Field(description="how long a price that was shown may differ in the cart")] = 0.0
    event_lag: Annotated[Duration, Field(description="from an accepted event until it can be read back")] = 2.0
    purchase_grace: Annotated[Duration, Field(description="how long what was bought may still be recommended")] = 5.0
    opt_out_grace: Annotated[Duration, Field(description="how long messages may still come after an opt-out")] = 0.0
    messages_a_day: Annotated[int, Field(ge=1, description="messages to a shopper on one local day, at most")] = 3
    quiet_hours: Annotated[
        tuple[int, int], Field(description="local hours from and to which nobody is sent a message")
    ] = (22, 8)
    position_error: Annotated[
        float, Field(ge=0, description="metres by which a position may be off before an offer is out of place")
    ] = 200.0
    give_up: Annotated[
        Duration, Field(gt=0, description="how long an app waits for what is personal before it shows what it has")
    ] = 3.0
    model_bytes: Annotated[int, Field(gt=0, description="of a 3-D model for a phone, at most")] = 10_000_000


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
    events: Annotated[
        dict[str, str],
        Field(description="the target's name for what a page reports, as {event.name}; others are not reported"),
    ] = {}
    consent_words: Annotated[
        ConsentWords | None, Field(description="what {consent.…} says instead of true and false")
    ] = None
    accounts: Accounts | None = None
    setup: Annotated[dict[str, Setup], Field(description="requests made once a run, in this order")] = {}
    readings: Annotated[
        dict[Reading, Rest], Field(description="requests that only probes make, to see what the target keeps")
    ] = {}
    promises: Promises = Promises()
    operations: dict[Operation, Rest]
