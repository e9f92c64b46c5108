"""Presets for vendors: every request of each is what the vendor documents, and every answer is read."""

import re
from datetime import UTC, datetime

import jsonschema
import pytest

from simulator.cli.schemas import schemas
from simulator.export.vendors import segment, vocabulary
from simulator.model.faults import FileFaults
from simulator.model.library import shipped
from simulator.model.yamlfile import read_yaml
from simulator.target.check import somebody, walk
from simulator.target.reading import PRESETS, read_target
from simulator.target.request import load_target
from simulator.target.schema import TargetFile
from simulator.target.secrets import names_in

HOST = "http://vendor.example"
NAMES = sorted(shipped(PRESETS))


@pytest.fixture
def apps(beside):
    """Return the stand-in of each preset's vendor."""
    few, more = beside("standins"), beside("standins_more")
    parts = (few.no, few.app, few.KEY)
    found = {name: getattr(few, name.upper()) for name in NAMES if hasattr(few, name.upper())}
    found |= {"google_retail": more.retail_apps(*parts), "shopify": more.shopify_app(*parts)}
    return found | more.decision_apps(*parts) | more.push_apps(*parts)


@pytest.fixture
def environment(monkeypatch, tmp_path):
    """Set every variable that presets take; return a function that makes every key wrong."""
    accounts = tmp_path / "devices.csv"
    accounts.write_text("token,subscription\nT-1,gAAAA-1\n")
    key = "the-right-key"
    given = {
        "SEGMENT_WRITE_KEY": key, "GA4_MEASUREMENT_ID": "G-123", "GA4_API_SECRET": key, "ALGOLIA_APP_ID": "APP1",
        "ALGOLIA_SEARCH_KEY": key, "ALGOLIA_INDEX": "products", "ALGOLIA_OBJECT_ID": "P001", "AWS_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": key, "PERSONALIZE_ITEM_ID": "P001",
        "PERSONALIZE_CAMPAIGN_ARN": "arn:aws:personalize:eu-west-1:1:campaign/a",
        "PERSONALIZE_RANKING_ARN": "arn:aws:personalize:eu-west-1:1:campaign/b",
        "PERSONALIZE_ACTIONS_ARN": "arn:aws:personalize:eu-west-1:1:campaign/c",
        "PERSONALIZE_TRACKING_ID": "t-001", "GOOGLE_ACCESS_TOKEN": key,
        "RETAIL_CATALOG": "projects/p/locations/global/catalogs/default_catalog", "OFREP_API_KEY": key,
        "OFREP_FLAG": "hero", "UNLEASH_FRONTEND_TOKEN": key, "UNLEASH_TOGGLE": "hero", "GROWTHBOOK_CLIENT_KEY": key,
        "GROWTHBOOK_FEATURE": "hero", "FLAGSMITH_ENVIRONMENT_KEY": key, "FLAGSMITH_FEATURE": "hero",
        "SHOPIFY_STORE": "shop", "SHOPIFY_API_VERSION": "2026-01", "SHOPIFY_STOREFRONT_TOKEN": key,
        "FCM_PROJECT": "proj", "FCM_TOKENS": str(accounts), "ONESIGNAL_API_KEY": key, "ONESIGNAL_APP_ID": "app-1",
        "VAPID_TOKEN": key, "VAPID_KEY": "public", "WEB_PUSH_SUBSCRIPTIONS": str(accounts),
        "WEB_PUSH_PREFIX": "wpush/v2",
    }  # fmt: skip
    for name, value in given.items():
        monkeypatch.setenv(name, value)

    def spoil():
        for name, value in given.items():
            if value == key:
                monkeypatch.setenv(name, "a-wrong-key")

    return spoil


@pytest.mark.parametrize("hour", [0, 12])
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.usefixtures("environment")
def test_the_vendor_takes_every_request(name, hour, apps, transport_of):
    """A stand-in that refuses what the vendor refuses answers all well by day and night, and shows what is promised."""
    target = load_target(name)
    who = somebody(target, now_ms=round(datetime(2026, 3, 4, hour, 30, tzinfo=UTC).timestamp() * 1e3))
    lines = list(walk(target, HOST, who, transport=transport_of(apps[name])))
    assert {line.operation for line in lines} == {*target.setup, *target.operations}
    assert [(line.operation, line.problem, line.violations) for line in lines if line.problem or line.violations] == []


@pytest.mark.parametrize("name", NAMES)
def test_the_vendor_refuses_a_wrong_key(name, apps, environment, transport_of):
    """The stand-ins are no yes-men: with wrong credentials nothing that a preset sends as itself is answered well."""
    environment()
    lines = list(walk(load_target(name), HOST, transport=transport_of(apps[name])))
    assert [line.operation for line in lines if line.ok and not line.operation.startswith("setup.")] == []


@pytest.mark.parametrize("name", NAMES)
def test_a_preset_is_a_target_file(name):
    """It is called by its file's name, describes itself in one line, and an editor underlines nothing in it."""
    path = shipped(PRESETS)[name]
    spec = read_target(name, secrets=False)
    assert spec.target == name
    assert spec.describe
    assert "\n" not in spec.describe
    data = read_yaml(path).data
    assert list(jsonschema.Draft202012Validator(TargetFile.model_json_schema(by_alias=True)).iter_errors(data)) == []
    assert "target.schema.json" in schemas()


@pytest.mark.parametrize("name", NAMES)
def test_no_preset_holds_a_secret(name, monkeypatch):
    """What is private or somebody's own comes from the environment; without it every missing variable is told."""
    text = shipped(PRESETS)[name].read_text()
    taken = {variable for line in text.splitlines() if not line.startswith("#") for variable in names_in(line)}
    for variable in taken:
        monkeypatch.delenv(variable, raising=False)
    with pytest.raises(FileFaults) as found:
        load_target(name)
    told = {re.search(r"needs ([A-Z0-9_]+), which", str(fault))[1] for fault in found.value.faults}
    assert told == taken
    assert load_target(name, secrets=False).operations


def test_events_have_the_names_of_the_exports():
    """A preset calls events what an export of the same shape calls them."""
    calls = {call.event for call in segment.CALLS}
    assert set(read_target("segment", secrets=False).events.values()) <= calls
    words = vocabulary.WORDS
    retail = read_target("google_retail", secrets=False).events
    assert retail == {page: words[page].retail for page in retail}
    personalize = read_target("personalize_events", secrets=False).events
    assert personalize == {page: words[page].personalize for page in personalize}
    ga4 = read_target("ga4", secrets=False).events
    assert {page: name for page, name in ga4.items() if page != "home"} == {
        page: words[page].ga4[0] for page in ga4 if page != "home"
    }


def test_every_preset_is_documented(beside):
    """The page on files names each preset."""
    page = beside("standins").FILES_PAGE.read_text()
    assert [name for name in NAMES if f"`{name}`" not in page] == []
