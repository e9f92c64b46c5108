"""Bad logs: what cannot be used is counted by its reason, the rest is fitted, nothing is guessed silently."""

import json

import pytest

from simulator.fit.clean import hits_of
from simulator.fit.logs_csv import read_csv
from simulator.fit.names import GA4, OWN, near_state, state_of, with_options
from simulator.model.faults import FileFaults

GOOD = [
    {"user": user, "time": f"2026-03-0{1 + user % 7}T1{user % 10}:0{minute}:00Z", "action": action}
    for user in range(10)
    for minute, action in enumerate(("home", "search", "product"))
]


def read(path, findings, *, events=OWN, timezone=None, unit=None, **named):
    """Return the hits of a csv-like log."""
    return hits_of(read_csv(path, named, unit, findings), events, timezone, findings)


def test_broken_rows_are_counted_and_the_rest_is_read(lines, findings):
    """Lines that are no JSON object, rows without user, time or event, and absurd times are left out by reason."""
    broken = [
        "{not json",
        "[1, 2]",
        {"time": "2026-03-01T10:00:00Z", "action": "home"},
        {"user": "a", "action": "home"},
        {"user": "a", "time": "2026-03-01T10:00:00Z"},
        {"user": "a", "time": "yesterday", "action": "home"},
        {"user": "a", "time": "2026-02-30T10:00:00Z", "action": "home"},
        {"user": "a", "time": "1066-10-14T10:00:00Z", "action": "home"},
        {"user": "a", "time": {"seconds": 3}, "action": "home"},
    ]
    hits = read(lines([*GOOD, *broken]), findings)
    assert len(hits) == len(GOOD)
    assert findings.rows == len(GOOD) + len(broken)
    assert sum(findings.dropped.values()) + len(hits) == findings.rows
    assert findings.dropped["line is not JSON"] == 1
    assert findings.dropped["line is JSON but no object"] == 1
    assert findings.dropped["user is missing"] == 1
    assert findings.dropped["time is missing"] == 2
    assert findings.dropped["event is missing"] == 1
    assert findings.dropped["time is no ISO 8601 text and no number"] == 1
    assert findings.dropped["time is on a day that does not exist"] == 1
    assert findings.dropped["time is before 1970 or after 2100"] == 1
    assert findings.examples["line is not JSON"] == [f"log.jsonl:{len(GOOD) + 1}"]


def test_times_without_an_offset_among_others_are_left_out(lines, findings):
    """Naive times cannot be placed beside times with offsets: counted, unless --timezone says what they are."""
    rows = [*GOOD, {"user": "x", "time": "2026-03-02 10:00:00", "action": "home"}]
    path = lines(rows)
    assert len(read(path, findings)) == len(GOOD)
    assert findings.dropped == {"time has no offset while others have one (give --timezone)": 1}
    findings.dropped.clear()
    hits = read(path, findings, timezone="Europe/Berlin")
    assert len(hits) == len(rows)
    naive = hits.at_us[[hits.users[u] == "x" for u in hits.user]]
    assert naive.tolist() == [1_772_442_000_000_000]  # 09:00 UTC
    assert not findings.dropped


def test_offsets_are_understood(lines, findings):
    """The same instant in several offsets is one instant, and microseconds are kept."""
    texts = ["2026-03-01T12:00:00.123456+02:00", "2026-03-01T10:00:00.123456Z", "2026-03-01 05:30:00.123456 -0430"]
    rows = [{"user": f"u{n}", "time": text, "action": "home"} for n, text in enumerate(texts)]
    assert set(read(lines(rows), findings).at_us.tolist()) == {1_772_359_200_123_456}
    assert not findings.dropped


def test_numbers_need_their_unit(lines, findings):
    """A number is no time until its unit is known; then microseconds are exact."""
    rows = [{"user": "a", "time": 1_772_359_200_123, "action": "home"}]
    assert read(lines(rows), findings) is None
    assert findings.dropped == {"time is a number without a unit (give --time-unit s, ms or us)": 1}
    assert read(lines(rows), findings, unit="ms").at_us.tolist() == [1_772_359_200_123_000]


def test_an_unmapped_event_is_listed_with_a_suggestion(lines, findings):
    """Events that lead to no state are counted by name, with the option that would map them."""
    rows = [*GOOD, *({"user": "a", "time": "2026-03-01T10:00:00Z", "action": "Product Viewed"} for _ in range(3))]
    read(lines(rows), findings)
    assert findings.unmapped == {"Product Viewed": {"rows": 3, "suggestion": '--map "Product Viewed=product"'}}


def test_maps_go_by_page_before_event():
    """`event:path` counts before the event alone, a longer `*` before a shorter, and options before defaults."""
    events = with_options(GA4, ["page_view:/deals*=offers", "page_view:/deals/help=support", "scroll=content"])
    found = [state_of("page_view", path, events) for path in ("/", "/deals/7", "/deals/help", "/x", None)]
    assert found == ["home", "offers", "support", "ignore", "ignore"]
    assert state_of("scroll", None, events) == "content"
    assert near_state("zzz", GA4) == ""


def test_a_map_to_no_state_is_a_fault():
    """Every bad --map is named, with the nearest state."""
    with pytest.raises(FileFaults) as error:
        with_options(GA4, ["view_item=prodct", "nonsense"])
    assert "did you mean product?" in str(error.value)
    assert "nonsense has no event and state" in str(error.value)


def test_a_hit_delivered_twice_counts_once(lines, findings):
    """The same user, time and event is one hit, wherever its copies stand in the log."""
    assert len(read(lines([*GOOD, GOOD[0], *GOOD[:2]]), findings)) == len(GOOD)
    assert findings.dropped == {"hit is there twice (same user, time and event)": 3}


def test_the_order_of_a_log_changes_nothing(lines, findings):
    """Hits are put in the order of users and times."""
    straight, turned = read(lines(GOOD), findings), read(lines(GOOD[::-1], "turned.jsonl"), findings)
    told = [
        sorted((hits.users[u], at, s) for u, at, s in zip(hits.user, hits.at_us, hits.state, strict=True))
        for hits in (straight, turned)
    ]
    assert told[0] == told[1]


def test_csv_rows_of_another_length_are_counted(tmp_path, findings):
    """A CSV row with too many or too few columns is left out; unknown columns are listed."""
    path = tmp_path / "log.csv"
    path.write_text(
        "who,time,action,colour\na,2026-03-01T10:00:00Z,home,red\nb,2026-03-01T10:00:00Z\n"
        "c,2026-03-01T10:00:00Z,home,blue,7\nd,2026-03-01T10:00:00Z,home,\n",
        encoding="utf-8",
    )
    hits = read(path, findings, user="who")
    assert hits.users == ("a", "d")
    assert findings.dropped == {"row has another number of columns than the header": 2}
    assert findings.unknown_columns == ["colour"]


def test_missing_columns_are_all_named_at_once(tmp_path, findings):
    """A table without user and time is refused with both, and what they may be called."""
    path = tmp_path / "log.csv"
    path.write_text("usr,action\na,home\n", encoding="utf-8")
    with pytest.raises(FileFaults) as error:
        read(path, findings)
    assert len(error.value.faults) == 2
    assert "did you mean usr?" in str(error.value)


def table_of(rows, separator=","):
    """Return a CSV table of rows of the three columns that are needed."""
    header = separator.join(("user", "time", "action"))
    return "\n".join([header, *(separator.join(map(str, row.values())) for row in rows), ""])


@pytest.mark.parametrize("separator", [";", "\t"])
def test_what_separates_columns_is_seen(tmp_path, findings, separator):
    """Semicolons and tabs separate columns as well as commas do."""
    path = tmp_path / "log.csv"
    path.write_text(table_of(GOOD, separator), encoding="utf-8")
    assert len(read(path, findings)) == len(GOOD)


def test_rows_that_are_no_text_are_counted(tmp_path, findings):
    """A row in another encoding is left out and counted; the rest of the file is read."""
    path = tmp_path / "log.csv"
    path.write_bytes(table_of(GOOD).encode() + "Zoë,2026-03-01T10:00:00Z,home\n".encode("latin-1"))
    assert len(read(path, findings)) == len(GOOD)
    assert findings.dropped == {"row is not UTF-8 text": 1}
    assert findings.examples["row is not UTF-8 text"] == [f"log.csv: row {len(GOOD) + 1}"]


def test_a_column_that_stands_twice_is_refused(tmp_path, findings):
    """Of two columns of one name nobody knows which is meant; where none is needed it does not matter."""
    path = tmp_path / "log.csv"
    rows = "".join(f"{r['user']},x,{r['time']},{r['action']},1,2\n" for r in GOOD)
    path.write_text("user,user,time,action,note,note\n" + rows, encoding="utf-8")
    with pytest.raises(FileFaults, match="has the column user 2 times, names of columns must differ") as error:
        read(path, findings)
    assert len(error.value.faults) == 1
    path.write_text("user,y,time,action,note,note\n" + rows, encoding="utf-8")
    assert len(read(path, findings)) == len(GOOD)


def test_two_columns_of_one_meaning_are_told(tmp_path, findings):
    """Which of two columns is taken stands in the report."""
    path = tmp_path / "log.csv"
    rows = "".join(f"{r['user']},a{r['user']},{r['time']},{r['action']}\n" for r in GOOD)
    path.write_text("user,user_id,time,action\n" + rows, encoding="utf-8")
    assert set(read(path, findings).users) == {str(user) for user in range(10)}
    assert findings.notes[0] == "The user is the column user, and where that is empty user_id."


def test_what_no_visit_can_do_is_left_out_of_its_persona(footfall, lines, tmp_path):
    """Carts filled without a look at a product cannot be generated: the persona is valid, and says what it left out."""
    rows = [
        {"user": user, "time": f"2026-03-01T10:{minute:02}:00Z", "action": action}
        for user in range(20)
        for minute, action in enumerate(("home", "add_to_cart", "cart"))
    ]
    out = tmp_path / "out"
    assert footfall("persona", "fit", lines(rows), "--out", out, "--personas", 1).code == 0
    text = (out / "fitted_1.yaml").read_text(encoding="utf-8")
    assert "left out, because no visit has come by what they need: add_to_cart" in " ".join(text.split())
    assert "buys: never" in text
    assert footfall("persona", "check", out / "fitted_1.yaml").code == 0


def test_strange_load_times_count_as_not_logged(lines, findings):
    """Negative and absurd load times, and those that are no numbers, are told and not used."""
    loads = [-5, 1e30, "soon", 250]
    rows = [{**row, "load_ms": load} for row, load in zip(GOOD, loads, strict=False)]
    hits = read(lines(rows), findings)
    assert sorted(hits.load_us.tolist()) == [-1, -1, -1, 250_000]
    assert any("load times" in note for note in findings.notes)


def test_a_log_with_nothing_usable_ends_with_every_reason(footfall, lines, tmp_path):
    """Exit code 2, one line a reason, and no folder of personas."""
    path = lines(
        ["{", {"user": "a", "time": "never", "action": "home"}, {"user": "a", "time": "x", "action": "Viewed"}]
    )
    said = footfall("persona", "fit", path, "--out", tmp_path / "out")
    assert said.code == 2
    assert "has no usable hit in 3 rows" in said.err
    assert "line is not JSON" in said.err
    assert "the event Viewed leads to no state" in said.err
    assert "time is no ISO 8601 text" in said.err
    assert not list((tmp_path / "out").glob("*.yaml"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--map", "x=nowhere"], "which is not a state"),
        (["--timezone", "Mars/Olympus"], "does not exist"),
        (["--name", "My Shop"], "letters that a name may not have"),
        (["--column", "colour=x"], "colour means nothing"),
        (["--format", "ga4", "--user", "x"], "are for csv"),
    ],
)
def test_options_that_make_no_sense(footfall, lines, tmp_path, arguments, said):
    """Each is a usage error, before anything is written."""
    ended = footfall("persona", "fit", lines(GOOD), "--out", tmp_path / "out", *arguments)
    assert ended.code == 2
    assert said in ended.err
    assert not list((tmp_path / "out").glob("*.yaml"))


@pytest.mark.parametrize("rows", [1, 2, 30])
def test_a_tiny_log_gives_one_valid_persona(footfall, lines, tmp_path, rows):
    """A handful of hits is little evidence, and no reason to fall over."""
    out = tmp_path / "out"
    assert footfall("persona", "fit", lines(GOOD[:rows]), "--out", out).code == 0
    assert footfall("persona", "check", *out.glob("*.yaml")).code == 0
    assert footfall("generate", out / "scenarios" / "fitted.yaml", "--shoppers", 50, "--out", tmp_path / "d").code == 0


def test_no_more_kinds_than_users(footfall, lines, tmp_path):
    """Asked for more personas than there are users, the fit gives one a user at most, and valid ones."""
    out = tmp_path / "out"
    assert footfall("persona", "fit", lines(GOOD), "--out", out, "--personas", 20).code == 0
    files = sorted(out.glob("fitted_*.yaml"))
    assert 1 <= len(files) <= 10
    assert footfall("persona", "check", *files, out / "population.yaml").code == 0


def test_an_earlier_fit_is_replaced_only_when_asked(footfall, lines, tmp_path):
    """--out must be empty; --overwrite removes what a fit wrote and nothing else."""
    out, path = tmp_path / "out", lines(GOOD)
    assert footfall("persona", "fit", path, "--out", out).code == 0
    again = footfall("persona", "fit", path, "--out", out)
    assert (again.code, "--overwrite" in again.err) == (2, True)
    assert footfall("persona", "fit", path, "--out", out, "--overwrite", "--name", "other").code == 0
    assert sorted(p.name for p in out.glob("*.yaml")) == ["other_1.yaml", "population.yaml"]
    (out / "mine.txt").write_text("keep", encoding="utf-8")
    strange = footfall("persona", "fit", path, "--out", out, "--overwrite")
    assert (strange.code, "mine.txt" in strange.err) == (2, True)
    assert json.loads((out / "fit.json").read_text(encoding="utf-8"))["log"]["users"] == 10
