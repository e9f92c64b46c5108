"""Finding files: a path, a file beside the one that names it, a shipped name, or a fault that says what there is."""

import pytest

from simulator.model.faults import FileFaults
from simulator.model.library import library_folder, resolve, shipped

KIND = "personas/shoppers"


def said(name, beside=None):
    """Return what is said of a name that leads nowhere."""
    with pytest.raises(FileFaults) as error:
        resolve(name, KIND, what="persona", beside=beside)
    return str(error.value)


def test_a_shipped_name():
    """A bare name is a shipped file's."""
    assert resolve("tourist", KIND, what="persona") == shipped(KIND)["tourist"]


def test_a_path_wins(persona_file, monkeypatch, tmp_path):
    """A path that exists is taken, from wherever one stands."""
    path = persona_file("persona: x\n", "tourist.yaml")
    assert resolve(str(path), KIND, what="persona") == path
    monkeypatch.chdir(tmp_path)
    assert resolve("tourist.yaml", KIND, what="persona").resolve() == path


def test_a_file_beside_wins_over_a_shipped_one(persona_file, tmp_path):
    """A file next to the one that names it is taken before a shipped one, with or without its ending."""
    path = persona_file("persona: x\n", "tourist.yaml")
    assert resolve("tourist", KIND, what="persona", beside=tmp_path) == path
    assert resolve("tourist.yaml", KIND, what="persona", beside=tmp_path) == path
    assert resolve("base_mobile", KIND, what="persona", beside=tmp_path) == shipped(KIND)["base_mobile"]


def test_an_unknown_name_is_told_the_shipped_ones():
    """A name that is not shipped is answered with all that are, and the nearest."""
    names = ", ".join(shipped(KIND))
    assert said("turist") == f"turist: is not a shipped persona, shipped are {names}. Hint: did you mean tourist?"
    assert said("qqqq") == f"qqqq: is not a shipped persona, shipped are {names}"


@pytest.mark.parametrize("name", ["mine.yaml", "./mine", "some/where.yml"])
def test_a_path_that_leads_nowhere(name):
    """What looks like a path does not exist; it is not called a persona that is not shipped."""
    assert said(name).startswith(f"{name}: does not exist, shipped are ")


def test_a_folder_is_no_file(tmp_path):
    """A folder called like a file is not taken for one."""
    (tmp_path / "odd.yaml").mkdir()
    assert said(str(tmp_path / "odd.yaml")).startswith(f"{tmp_path / 'odd.yaml'}: does not exist")


def test_every_kind_of_file_is_shipped():
    """Personas, populations and scenarios are there, by name and in order."""
    for kind in (KIND, "personas/populations", "personas/scenarios"):
        names = list(shipped(kind))
        assert names == sorted(names)
        assert names
        assert library_folder(kind).is_dir()


def test_a_kind_that_is_not_shipped():
    """An unknown kind is a mistake of ours, not of a user."""
    with pytest.raises(FileNotFoundError, match="personas/pets"):
        library_folder("personas/pets")
