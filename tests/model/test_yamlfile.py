"""Reading YAML: 1.2 and not 1.1, with lines, and with faults instead of tracebacks."""

import pytest

from simulator.model.faults import Fault, FileFaults, suggestion
from simulator.model.yamlfile import read_yaml


@pytest.fixture
def read(persona_file):
    """Return a function that reads a text as a file called `t.yaml`."""
    return lambda text: read_yaml(persona_file(text), shown="t.yaml")


def fault_of(read, text):
    """Return what is said of a faulty text."""
    with pytest.raises(FileFaults) as error:
        read(text)
    return str(error.value)


def test_norway_is_a_country(read):
    """`NO` is a word, as key and as value; only true and false are truth values."""
    file = read("countries: {NO: 0.1, ON: 0.2}\ncountry: NO\nanswer: yes\nreal: true\n")
    assert file.data == {"countries": {"NO": 0.1, "ON": 0.2}, "country": "NO", "answer": "yes", "real": True}


def test_half_past_eight_is_no_number(read):
    """`8:30` stays as written; YAML 1.1 would read 510."""
    assert read("at: 8:30\nwho: 1:30:00\n").data == {"at": "8:30", "who": "1:30:00"}


def test_numbers_are_plain_python(read):
    """Numbers, strings and truth values come as Python's own types, anchors or not."""
    data = read("a: &one 1\nb: *one\nc: 1_000\nd: 1e3\ne: '5'\nf: &yes true\ng: *yes\nh: 010\n").data
    assert data == {"a": 1, "b": 1, "c": 1000, "d": 1000.0, "e": "5", "f": True, "g": True, "h": 10}
    assert {type(value) for value in data.values()} == {int, float, str, bool}


def test_an_instant_keeps_its_offset(read):
    """A timestamp stays text with its offset, so that the reference instant is not moved."""
    assert read("at: 2026-11-27T00:00:00Z\n").data["at"].endswith("+00:00")


def test_every_value_has_its_line(read):
    """Keys and list items know their line, and what is missing that of its nearest ancestor."""
    file = read("a: 1\nb:\n  c:\n    - x\n    - y\n  d: {e: 2,\n      f: 3}\n")
    assert [file.line(path) for path in ((), ("a",), ("b", "c"), ("b", "c", 1), ("b", "d", "f"))] == [1, 1, 3, 5, 7]
    assert file.line(("b", "c", "nowhere", 0)) == 3
    assert file.line(("nowhere",)) == 1


def test_merge_keys_are_merged(read):
    """`<<` brings keys of another mapping, which then stand where theirs begins."""
    file = read("base: &base {a: 1, b: 2}\nown:\n  <<: *base\n  b: 3\n")
    assert file.data["own"] == {"a": 1, "b": 3}
    assert file.line(("own", "b")) == 4
    assert file.line(("own", "a")) in {2, 3}


FAULTY = {
    "duplicate keys": (
        "a: 1\nb: 2\na: 3\n",
        (
            't.yaml:3: is not valid YAML: found duplicate key "a" with value "3" (original value: "1"). '
            "Hint: each key may stand once"
        ),
    ),
    "an open bracket": (
        "a: {b: 1\n",
        (
            "t.yaml:2: is not valid YAML: expected ',' or '}', but got '<stream end>'. "
            "Hint: check indentation, colons and quotes"
        ),
    ),
    "a tab": (
        "a:\n\tb: 1\n",
        (
            "t.yaml:2: is not valid YAML: found character '\\t' that cannot start any token. "
            "Hint: check indentation, colons and quotes"
        ),
    ),
    "two documents": (
        "a: 1\n---\nb: 1\n",
        "t.yaml:2: is not valid YAML: but found another document. Hint: check indentation, colons and quotes",
    ),
    "a list": ("- a\n- b\n", "t.yaml: holds a list, must hold a mapping of keys to values"),
    "nothing": ("", "t.yaml: holds nothing, must hold a mapping of keys to values"),
    "one value": ("hello\n", "t.yaml: holds one value, 'hello', must hold a mapping of keys to values"),
}


@pytest.mark.parametrize("name", FAULTY)
def test_what_cannot_be_read(name, read):
    """Each kind of broken file is one sentence with its line."""
    text, said = FAULTY[name]
    assert fault_of(read, text) == said


def test_a_missing_file(tmp_path):
    """A file that is not there is named as it was asked for."""
    with pytest.raises(FileFaults) as error:
        read_yaml(tmp_path / "none.yaml", shown="none.yaml")
    assert str(error.value) == ("none.yaml: does not exist, a YAML file is needed. Hint: check the name and the folder")


def test_a_folder_and_a_picture(tmp_path):
    """What is no text file is a fault too."""
    (tmp_path / "picture.yaml").write_bytes(b"\x89PNG\xff\xfe")
    for name in ("picture.yaml", "."):
        with pytest.raises(FileFaults, match=r"cannot be read \(.*\), a UTF-8 text file is needed"):
            read_yaml(tmp_path / name)


def test_a_file_below_the_working_folder_is_shown_relative(tmp_path, monkeypatch):
    """Faults name files as one would type them."""
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "a.yaml").write_text("a: 1\n")
    monkeypatch.chdir(tmp_path)
    assert read_yaml(tmp_path / "below" / "a.yaml").name == "below/a.yaml"


def test_faults_stand_in_the_order_of_file_and_line():
    """All faults are one text, sorted, one a line; a fault without a line belongs to the whole file."""
    faults = [
        Fault("b.yaml", 3, "x", "is 1", "must be 2"),
        Fault("a.yaml", 12, "journey.cart", "sums to 0.95", "must be 1", "did you forget exit?"),
        Fault("a.yaml", 2, "y", "is missing", ""),
        Fault("a.yaml", 0, "", "does not exist", ""),
    ]
    assert str(FileFaults(faults)).splitlines() == [
        "a.yaml: does not exist",
        "a.yaml:2: y is missing",
        "a.yaml:12: journey.cart sums to 0.95, must be 1. Hint: did you forget exit?",
        "b.yaml:3: x is 1, must be 2",
    ]


@pytest.mark.parametrize(
    ("word", "said"), [("serch", "did you mean search?"), ("Home", "did you mean home?"), ("xyz", ""), ("", "")]
)
def test_suggestions(word, said):
    """A near word is suggested, a far one is not."""
    assert suggestion(word, ("home", "search", "cart")) == said


def test_a_file_that_is_read_twice_is_nobodys_to_change(read):
    """A text is parsed once, and still what one reader does to its values reaches no other."""
    text = "a: {b: [1, 2]}\n"
    first, second = read(text), read(text)
    first.data["a"]["b"].append(3)
    first.data["c"] = 4
    assert second.data == read(text).data == {"a": {"b": [1, 2]}}
    assert second.line(("a", "b", 1)) == 1


def test_a_file_that_changed_is_read_anew(read):
    """Nothing that was read before stands for a text that is another one, though of the same length and instant."""
    assert read("a: 1\n").data == {"a": 1}
    assert read("a: 2\n").data == {"a": 2}
