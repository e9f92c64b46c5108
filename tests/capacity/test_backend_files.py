"""Backend files: what is shipped can be read, what is wrong is said, all of it at once."""

from __future__ import annotations

from textwrap import dedent

import pytest

from simulator.model.faults import FileFaults
from simulator.model.library import shipped
from simulator.model.states import STATE_INDEX
from simulator.page.card import OPERATIONS, compile_pages, page_file, service_purpose
from simulator.worlds.backend import FOLDER, BackendFile, load_backend
from simulator.worlds.routes import compile_routes, stop_purpose

BAD = """\
    backend: bad
    describe: nearly everything is wrong
    stations:
      app: {servers: 0, queue_limit: -1, timeout: 10, discipline: lifo, on_leave: stop}
      other: {server: 4}
    operations:
      hoem: [{station: app}]
      home: [{station: ap}, {station: other, service: {dist: lognormal, median: 20ms}}]
      search: []
      cart: [{station: app}, {station: app}]
      offers: [{station: app, service: {dist: constant, value: -1}}]
"""
FAULTS = """\
    bad.yaml:4: stations.app.discipline is 'lifo', Input should be 'fifo'
    bad.yaml:4: stations.app.on_leave is 'stop', Input should be 'finish' or 'cancel'
    bad.yaml:4: stations.app.queue_limit is -1, must be a whole number from 0 on, or none
    bad.yaml:4: stations.app.servers is 0, must be a whole number from 1 on, or unlimited
    bad.yaml:4: stations.app.timeout is 10, must be a duration above zero with its unit, as 10s, or none
    bad.yaml:5: stations.other.server is not a known key, allowed are servers, queue_limit, timeout, discipline, \
on_leave, evidence. Hint: did you mean servers?
    bad.yaml:5: stations.other.servers is missing, this key is required
    bad.yaml:6: operations.default is missing, operations without a route of their own need it
    bad.yaml:7: operations.hoem is not an operation. Hint: did you mean home?
    bad.yaml:8: operations.home.0.station names ap, stations are app, other. Hint: did you mean app?
    bad.yaml:8: operations.home.1.service is {'dist': 'lognormal', 'median': '20ms'}, needs either p90 or \
sigma beside the median
    bad.yaml:9: operations.search is [], List should have at least 1 item after validation, not 0
    bad.yaml:10: operations.cart takes the page's own service time twice, one hop may. Hint: give the others a service \
time
    bad.yaml:10: operations.cart.1.station visits app again, an operation visits a station once
    bad.yaml:11: operations.offers.0.service is {'dist': 'constant', 'value': -1}, service must not be negative
"""


def test_all_faults_of_a_file_are_told_at_once(tmp_path, monkeypatch):
    """Each fault has its line, path, what was found, what is allowed, and a hint where there is a near word."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.yaml").write_text(dedent(BAD))
    with pytest.raises(FileFaults) as error:
        load_backend("bad.yaml")
    assert str(error.value) == dedent(FAULTS).strip()


def test_an_operation_that_is_near_nothing_is_answered_with_all(tmp_path, monkeypatch):
    """Without a near word the hint lists every operation there is."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "b.yaml").write_text(
        "backend: b\ndescribe: d\nstations: {app: {servers: 1}}\n"
        "operations: {default: [{station: app}], zzz: [{station: app}]}\n"
    )
    with pytest.raises(FileFaults) as error:
        load_backend("b.yaml")
    expected = f"b.yaml:4: operations.zzz is not an operation. Hint: operations are {', '.join(OPERATIONS)}"
    assert str(error.value) == expected


def test_an_empty_value_is_not_no_limit(tmp_path, monkeypatch):
    """A key without a value is a fault: whoever means no limit writes `unlimited` or `none`."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "b.yaml").write_text(
        "backend: b\ndescribe: d\nstations:\n  app:\n    servers:\n    timeout:\n"
        "operations:\n  default: [{station: }]\n"
    )
    with pytest.raises(FileFaults) as error:
        load_backend("b.yaml")
    assert str(error.value).splitlines() == [
        "b.yaml:5: stations.app.servers is None, must be a whole number from 1 on, or unlimited",
        "b.yaml:6: stations.app.timeout is None, must be a duration above zero with its unit, as 10s, or none",
        "b.yaml:8: operations.default.0.station is None, Input should be a valid string",
    ]


def test_an_unknown_name_is_answered_with_the_shipped_ones():
    """A misspelt backend is an error with the nearest shipped name."""
    with pytest.raises(FileFaults) as error:
        load_backend("smal_shop")
    assert str(error.value) == (
        "smal_shop: is not a shipped backend, shipped are small_shop, uncontended. Hint: did you mean small_shop?"
    )


@pytest.mark.parametrize("name", sorted(shipped(FOLDER)))
def test_shipped_backends_are_valid_and_survive_being_written(name):
    """Every shipped file reads without a fault, is named as its file, and its resolved form can be read back."""
    backend = load_backend(name)
    assert backend.backend == name
    written = backend.model_dump(mode="json", by_alias=True)
    assert BackendFile.model_validate(written) == backend


def test_a_pages_stops_are_its_calls_routes_in_order():
    """The small shop's home page visits app, then the recommender, and the recommender again for its main content."""
    pages, backend = compile_pages(page_file()), load_backend("small_shop")
    routes = compile_routes(backend, pages)
    names = list(backend.stations)
    way, row = routes.ways[STATE_INDEX["home"]], routes.rows[STATE_INDEX["home"]]
    assert [names[station] for station, _ in way.blocking] == ["app", "recommender"]
    assert [names[station] for station, _ in way.lcp] == ["recommender"]
    # Offers, arm, exposure, next action, registering for messages, event.
    later = [["app"], ["app"], ["collector"], ["recommender"], ["app"], ["collector"]]
    assert [[names[station] for station, _ in call] for call in way.deferred] == later
    assert row["stops"] == 9
    keys = [service_purpose("home"), stop_purpose("home", "recommender"), service_purpose("recommend")]
    assert row["service_key"][:3].tolist() == keys


def test_a_station_added_to_a_route_changes_no_other_stations_draw():
    """Draws are keyed by operation and station, so two backends that share a station share its service times."""
    pages = compile_pages(page_file())
    hop = {"station": "cache", "service": {"dist": "gamma", "mean": "5ms", "cv": 0.7}}
    spec = load_backend("small_shop").model_dump(mode="json", by_alias=True)
    before = compile_routes(BackendFile.model_validate(spec), pages)
    spec["stations"]["cache"] = {"servers": 2}
    spec["operations"]["home"].insert(0, hop)
    after = compile_routes(BackendFile.model_validate(spec), pages)
    home = STATE_INDEX["home"]
    assert after.rows[home]["service"][1:6].tolist() == before.rows[home]["service"][:5].tolist()
    assert after.rows[home]["service_key"][1:6].tolist() == before.rows[home]["service_key"][:5].tolist()
    assert after.rows[home]["service"][0]["a"] == pages.tables[0]["used"]
    assert after.tables[0]["used"] == pages.tables[0]["used"] + 1
