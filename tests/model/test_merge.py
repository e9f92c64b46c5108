"""How personas inherit: one parent, mixins in order, maps merged, lists replaced, null deletes, factors scale."""

import copy
import json

import pytest

from simulator.model.faults import FileFaults
from simulator.model.merge import is_mixin, merge_persona
from simulator.model.yamlfile import read_yaml


@pytest.fixture
def merged(persona_file, monkeypatch, tmp_path):
    """Return a function that writes files and merges the last."""
    monkeypatch.chdir(tmp_path)

    def of(**files):
        paths = [persona_file(text, f"{name}.yaml") for name, text in files.items()]
        return merge_persona(paths[-1])

    return of


def faults_of(merge, **files):
    """Return what is said of files that cannot be merged."""
    with pytest.raises(FileFaults) as error:
        merge(**files)
    return str(error.value).splitlines()


def test_maps_merge_and_lists_replace(merged):
    """A child's keys go beside its parent's; a child's list takes the place of its parent's."""
    data = merged(
        base="persona: base\npatience: {hazard_per_s: 0.02, shape: 1.0}\narrivals: {hours: [1, 2, 3]}\n",
        mine="persona: mine\nextends: base\npatience: {shape: 2.0}\narrivals: {hours: [9]}\n",
    ).data
    assert data == {
        "persona": "mine",
        "patience": {"hazard_per_s": 0.02, "shape": 2.0},
        "arrivals": {"hours": [9]},
    }


def test_mixins_come_in_order(merged):
    """Mixins are laid on the parent one after another, and the file itself on top of all."""
    files = {
        "base": "persona: base\nconsent: {push: 0.1, location: 0.1, analytics: 0.1, personalization: 0.1}\n",
        "one": "consent: {push: 0.2, location: 0.2, analytics: 0.2}\n",
        "two": "consent: {push: 0.3, location: 0.3}\n",
    }
    rest = "persona: mine\nextends: base\nconsent: {push: 0.4}\nmixins: "
    in_order = merged(**files, mine=rest + "[one, two]\n").data["consent"]
    turned = merged(**files, mine=rest + "[two, one]\n").data["consent"]
    assert in_order == {"push": 0.4, "location": 0.3, "analytics": 0.2, "personalization": 0.1}
    assert turned == {"push": 0.4, "location": 0.2, "analytics": 0.2, "personalization": 0.1}


def test_null_deletes(merged):
    """Null takes an inherited value away, also from a mixin; where there is none it says nothing."""
    merge = merged(
        base="persona: base\nbudget: {time: 5min, refund_per_relevant_page: 1s}\nput_off: {memory: 1, tau: 1s}\n",
        forgetful="put_off: {memory: null}\n",
        mine="persona: mine\nextends: base\nmixins: [forgetful]\nbudget: {time: null}\ntempo: {cart: null}\n",
    )
    assert merge.data == {
        "persona": "mine",
        "budget": {"refund_per_relevant_page": "1s"},
        "put_off": {"tau": "1s"},
        "tempo": {},
    }


@pytest.mark.parametrize(
    ("old", "factor", "new"), [("0.02", "1.5", 0.03), ("4", "0.25", 1.0), ("6s", "2", "12s"), ("400ms", "0.5", "0.2s")]
)
def test_a_factor_scales(merged, old, factor, new):
    """`{scale: x}` multiplies an inherited number or duration."""
    data = merged(
        base=f"persona: base\nsection: {{value: {old}}}\n",
        mine=f"persona: mine\nextends: base\nsection: {{value: {{scale: {factor}}}}}\n",
    ).data
    assert data["section"]["value"] == (pytest.approx(new) if isinstance(new, float) else new)


def test_factors_of_mixins_wait_for_a_number_and_multiply(merged):
    """A mixin's factor works on whatever persona takes it; two mixins' factors multiply."""
    data = merged(
        base="persona: base\npatience: {hazard_per_s: 0.02}\n",
        hurried="patience: {hazard_per_s: {scale: 2}}\n",
        nervous="patience: {hazard_per_s: {scale: 1.5}}\n",
        mine="persona: mine\nextends: base\nmixins: [hurried, nervous]\n",
    ).data
    assert data["patience"]["hazard_per_s"] == pytest.approx(0.06)


def test_a_factor_of_a_mixin_of_a_mixin(merged):
    """A mixin may take mixins itself; their factors meet before the number comes, and multiply."""
    data = merged(
        base="persona: base\npatience: {hazard_per_s: 0.02}\n",
        hurried="patience: {hazard_per_s: {scale: 2}}\n",
        nervous="mixins: [hurried]\npatience: {hazard_per_s: {scale: 1.5}}\n",
        mine="persona: mine\nextends: base\nmixins: [nervous]\n",
    ).data
    assert data["patience"]["hazard_per_s"] == pytest.approx(0.06)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("tempo", "home"), {"dist": "weibull", "shape": 0.8, "scale": "9s"}),
        (("journey", "entry"), {"search": 1.0}),
        (("journey", "rows", "home"), {"exit": 1.0}),
        (("place", "countries"), {"JP": 1.0}),
        (("network", "mix", "home"), {"wifi": 1.0}),
    ],
)
def test_distributions_and_mixes_replace_as_a_whole(merged, path, value):
    """Half of an old distribution, mix or row and half of a new one is neither; what stands beside it stays."""
    base = {
        "tempo": {"home": {"dist": "lognormal", "median": "6s", "p90": "9s"}, "cart": {"dist": "constant", "value": 1}},
        "journey": {"entry": {"home": 1.0}, "rows": {"home": {"home": 0.5, "exit": 0.5}}},
        "place": {"countries": {"US": 0.5, "GB": 0.5}},
        "network": {"mix": {"home": {"5g": 1.0}, "work": {"lte": 1.0}}},
    }
    mine = value
    for key in reversed(path):
        mine = {key: mine}
    data = merged(base=json.dumps(base), mine=json.dumps({"persona": "mine", "extends": "base"} | mine)).data
    expected = copy.deepcopy(base) | {"persona": "mine"}
    place = expected
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    assert data == expected


def test_one_parameter_of_a_distribution(merged):
    """A map without `dist` changes single parameters of an inherited distribution."""
    data = merged(
        base="persona: base\ntempo: {home: {dist: lognormal, median: 6s, p90: 9s}}\n",
        mine="persona: mine\nextends: base\ntempo: {home: {p90: 12s}}\n",
    ).data
    assert data["tempo"]["home"] == {"dist": "lognormal", "median": "6s", "p90": "12s"}


def test_a_file_keeps_its_name_to_itself(merged):
    """Name, description and evidence of a parent or mixin are about that file and are not inherited."""
    data = merged(
        base="persona: base\ndescribe: the base\nevidence: measured\nconsent: {evidence: here}\n",
        part="describe: a part\n",
        mine="extends: base\nmixins: [part]\n",
    ).data
    assert data == {"consent": {"evidence": "here"}}


def test_every_value_remembers_its_file(merged):
    """A value's origin is the file that gave it last, down to single keys of a merged map."""
    merge = merged(
        base="persona: base\npatience: {hazard_per_s: 0.02, shape: 1.0, feedback: 0.5}\n",
        part="patience: {shape: 2.0}\n",
        mine="persona: mine\nextends: base\nmixins: [part]\npatience: {hazard_per_s: {scale: 2}}\n",
    )
    origins = {key: merge.origin(("patience", key)).name for key in ("hazard_per_s", "shape", "feedback")}
    assert origins == {"hazard_per_s": "mine.yaml", "shape": "part.yaml", "feedback": "base.yaml"}


def test_what_was_replaced_leaves_no_origin(merged):
    """A key of a replaced distribution does not point at the old file, or a fault would be told of the wrong one."""
    merge = merged(
        base="persona: base\ntempo: {home: {dist: lognormal, median: 6s, p90: 9s}}\n",
        mine="persona: mine\nextends: base\ntempo: {home: {dist: lognormal, p90: 9s}}\n",
    )
    assert merge.origin(("tempo", "home", "median")).name == "mine.yaml"
    assert ("tempo", "home", "median") not in merge.origins


def test_a_circle_is_named(merged):
    """A persona that inherits itself is told the whole way round, at the line that closes it."""
    said = faults_of(
        merged,
        a="persona: a\nextends: c\n",
        b="persona: b\nextends: a\n",
        c="persona: c\ndescribe: x\nextends: b\n",
    )
    assert said == ["a.yaml:2: extends goes in a circle: c → b → a → c, a persona cannot inherit itself"]


def test_a_circle_that_one_only_meets_later(merged):
    """The circle alone is named, not the way to it; a mixin can close it too."""
    said = faults_of(
        merged,
        a="persona: a\nmixins:\n  - b\n",
        b="mixins: [a]\n",
        mine="persona: mine\nextends: a\n",
    )
    assert said == ["b.yaml:1: mixins.0 goes in a circle: a → b → a, a persona cannot inherit itself"]


def test_missing_parents_are_told_together(merged):
    """Every parent and mixin that cannot be found is one fault at its own line, with the nearest name."""
    said = faults_of(merged, mine="persona: mine\nextends: base_mobil\nmixins:\n  - with_commut\n  - ./gone.yaml\n")
    assert [line.split(", shipped are")[0] for line in said] == [
        "mine.yaml:2: extends is not a shipped persona",
        "mine.yaml:4: mixins.0 is not a shipped persona",
        "mine.yaml:5: mixins.1 does not exist",
    ]
    assert said[0].endswith(". Hint: did you mean base_mobile?")
    assert said[1].endswith(". Hint: did you mean with_commute?")


def test_a_parent_has_one_name(merged):
    """`extends` names one file and `mixins` are a list; both faults are told at once."""
    said = faults_of(merged, mine="persona: mine\nextends: [a, b]\nmixins: c\n")
    assert said == [
        "mine.yaml:2: extends is ['a', 'b'], must be the name of one persona",
        "mine.yaml:3: mixins is 'c', must be a list of names",
    ]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("{scale: 2}", "patience.shape has nothing to scale, a parent must give a number or a duration here"),
        ("{scale: fast}", "patience.shape.scale is 'fast', must be a number"),
    ],
)
def test_a_factor_needs_something_to_scale(merged, value, said):
    """A factor without a number below it, or one that is no number, is a fault of the file that gives it."""
    text = f"persona: mine\nextends: base\npatience:\n  shape: {value}\n"
    assert faults_of(merged, base="persona: base\npatience: {feedback: 1}\n", mine=text) == [f"mine.yaml:4: {said}"]


def test_faults_of_a_parent_are_told_of_the_parent(merged):
    """A broken parent is named by its own file and line, once, however many inherit it."""
    said = faults_of(
        merged,
        base="persona: base\nx: {\n",
        one="extends: base\n",
        mine="persona: mine\nextends: base\nmixins: [one]\n",
    )
    assert len(said) == 1
    assert said[0].startswith("base.yaml:3: is not valid YAML")


def test_mixins_are_told_apart(persona_file):
    """A file with neither a name nor a parent is a part of personas."""
    texts = {"persona: a\n": False, "extends: a\n": False, "consent: {push: 0}\n": True, "mixins: [b]\n": True}
    assert {text: is_mixin(read_yaml(persona_file(text))) for text in texts} == texts
