"""`footfall grade`: perfect answers get perfect scores, guesses get chance, and every faulty line is told."""

from __future__ import annotations

import csv
import json
import math
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy import stats
from sklearn import metrics

from simulator.analysis.answerkey import read_lifts
from simulator.analysis.grading import SCORES, calibration, grade_churn, grade_segments

SHOPPERS = 1_200
HINT = "give those you cannot tell a segment or probability of their own"


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Return a data set with its truth: two arms, one day."""
    from simulator.export.dataset import write_dataset  # noqa: PLC0415 - the command's own, once for all tests
    from simulator.scenario.load import load_scenario  # noqa: PLC0415

    folder = tmp_path_factory.mktemp("data")
    write_dataset(load_scenario("black_friday", {"shoppers": SHOPPERS}), folder, "parquet", also=("truth",))
    return folder


@pytest.fixture(scope="module")
def shoppers(data):
    """Return its shoppers as the truth knows them."""
    return pq.read_table(data / "truth_shoppers").to_pylist()


@pytest.fixture
def answer(tmp_path):
    """Return a function that writes an answer and returns its path."""

    def write(header, rows, name="answer.csv"):
        path = tmp_path / name
        with path.open("w", newline="") as file:
            csv.writer(file).writerows([header.split(","), *rows])
        return path

    return write


@pytest.fixture
def grade(footfall, data):
    """Return a function that grades a file and returns (exit code, what `--json` says)."""

    def graded(path, *options):
        said = footfall("grade", "--truth", data, "--answer", path, "--json", *options)
        assert said.out, said.err
        return said.code, json.loads(said.out)

    return graded


def noise(count, seed=1):
    """Return `count` uniforms that follow from `seed` (not those of the model)."""
    return np.random.default_rng(seed).random(count)


def test_perfect_segments_get_perfect_scores(grade, answer, shoppers):
    """The personas themselves, under other names and in any order, score 1 in everything."""
    rows = [(s["shopper"], s["persona"].upper()) for s in reversed(shoppers)]
    code, told = grade(answer("shopper,segment", rows))
    assert code == 0
    assert told["kind"] == "segments"
    assert told["rows"] == SHOPPERS
    assert set(told["scores"].values()) == {1.0}
    assert all(row["precision"] == row["recall"] == 1 for row in told["details"])
    assert {row["persona"]: row["segment"].lower() for row in told["details"]} == {
        row["persona"]: row["persona"] for row in told["details"]
    }


def test_guessed_segments_score_near_chance(grade, answer, shoppers):
    """Eight random segments: both adjusted indices lie within 0.02 of 0."""
    segments = (noise(SHOPPERS) * 8).astype(int)
    _, told = grade(answer("shopper,segment", zip(range(SHOPPERS), segments, strict=True)))
    assert abs(told["scores"]["ari"]) < 0.02
    assert abs(told["scores"]["ami"]) < 0.02
    assert len(shoppers) == SHOPPERS


def test_segments_by_hand():
    """A small table, counted by hand: pairs for the Rand index, the best matching for precision and recall."""
    truth = np.array(["a", "a", "a", "a", "b", "b", "b", "c", "c"])
    found = np.array(["x", "x", "x", "y", "y", "y", "y", "y", "z"])
    grade = grade_segments(truth, found)
    # pairs: together in both 3 + 3 = 6 (3 of x, 3 of b in y), in truth 6 + 3 + 1 = 10, found 3 + 10 = 13, of 36
    expected = 10 * 13 / 36
    assert grade.scores["ari"] == pytest.approx((6 - expected) / ((10 + 13) / 2 - expected), rel=1e-12)
    assert grade.scores["matched_accuracy"] == pytest.approx((3 + 3 + 1) / 9)
    assert [(row["segment"], row["precision"], row["recall"]) for row in grade.details] == [
        ("x", 1.0, 3 / 4),
        ("y", 3 / 5, 1.0),
        ("z", 1.0, 1 / 2),
    ]


def test_adjusted_mutual_information_by_its_formula():
    """The score is (MI − E MI) / (mean entropy − E MI), with the expectation over random tables (Vinh et al. 2010)."""
    truth, found = (noise(200, 3) * 4).astype(int), (noise(200, 4) * 3).astype(int)
    found[truth == 2] = 2
    table = np.array([[np.sum((truth == i) & (found == j)) for j in range(3)] for i in range(4)])
    rows, columns, n = table.sum(axis=1), table.sum(axis=0), table.sum()
    seen = table[table > 0] / n
    mutual = np.sum(seen * np.log(seen * n * n / np.outer(rows, columns)[table > 0]))
    chance = sum(
        k / n * math.log(n * k / (a * b)) * stats.hypergeom(n, a, b).pmf(k)
        for a in rows
        for b in columns
        for k in range(max(1, a + b - n), min(a, b) + 1)
    )
    entropy = np.mean([stats.entropy(rows), stats.entropy(columns)])
    score = grade_segments(truth, found).scores["ami"]
    assert score == pytest.approx((mutual - chance) / (entropy - chance), rel=1e-9)


def test_names_of_segments_do_not_matter():
    """Permuting the labels changes no score and no persona's precision and recall, ties included."""
    truth, found = (noise(300, 5) * 5).astype(int), (noise(300, 6) * 5).astype(int)
    found[:60], truth[:60] = np.repeat(range(5), 12), np.tile(range(5), 12)
    before = grade_segments(truth, found)
    for order in ([4, 3, 2, 1, 0], [2, 0, 4, 1, 3]):
        after = grade_segments(truth, np.array(order)[found])
        assert after.scores == before.scores
        kept = ("persona", "shoppers", "precision", "recall")
        assert [[row[k] for k in kept] for row in after.details] == [[row[k] for k in kept] for row in before.details]


def test_one_segment_for_all_and_one_for_each_are_no_answer():
    """Everybody alike, or nobody like another, scores 0 whatever the personas; unmatched personas are not found."""
    truth = np.repeat(["a", "b", "c"], 20)
    alike = grade_segments(truth, np.zeros(60, int))
    assert alike.scores["ari"] == pytest.approx(0, abs=1e-12)
    assert alike.scores["ami"] == pytest.approx(0, abs=1e-12)
    assert sorted(row["recall"] for row in alike.details) == [0, 0, 1]
    assert [row["precision"] for row in alike.details if row["segment"] is None] == [None, None]
    assert grade_segments(truth, np.arange(60)).scores["ari"] == pytest.approx(0, abs=1e-12)


def lifts_of(data):
    """Return the true lifts: rows of (arm, metric, persona, lift, se)."""
    return [(*key, *lift) for key, lift in read_lifts(data).items()]


def test_perfect_lifts_get_perfect_scores(grade, answer, data):
    """The truth itself, with intervals round it: no error, every sign right, everything covered and answered."""
    rows = [(arm, metric, lift, lift - 1, lift + 1, who) for arm, metric, who, lift, _ in lifts_of(data)]
    code, told = grade(answer("arm,metric,estimate,low,high,persona", rows))
    assert code == 0
    scores = told["scores"]
    assert (scores["answered"], scores["mean_relative_error"], scores["sign_right"], scores["coverage"]) == (1, 0, 1, 1)
    assert all(row["error"] == 0 and row["covered"] for row in told["details"])


def test_lifts_by_hand(grade, answer, data):
    """Two of six metrics estimated, one a fifth too large, one with the wrong sign and an interval that misses."""
    true = {metric: lift for _, metric, who, lift, _ in lifts_of(data) if who == ""}
    pages, bounce = true["pages"], true["bounce"]
    rows = [
        ("slower", "pages", 1.2 * pages, min(pages, 2 * pages), max(pages, 2 * pages)),
        ("slower", "bounce", -bounce, -abs(bounce) - 1, -abs(bounce)),
    ]
    _, told = grade(answer("arm,metric,estimate,low,high", rows))
    scores = told["scores"]
    assert scores["answered"] == pytest.approx(2 / 6)
    assert scores["mean_relative_error"] == pytest.approx((0.2 + 2) / 2)
    assert scores["sign_right"] == 0.5
    assert scores["coverage"] == 0.5
    # one of two covered: as unlikely as 0 or 1 of 2 at 95 %
    assert scores["coverage_p"] == pytest.approx(1 - 0.95**2)
    first, second = told["details"]
    assert first["error"] == pytest.approx(0.2 * pages)
    assert (first["covered"], second["covered"]) == (True, False)
    assert (first["sign_right"], second["sign_right"]) == (True, False)


def test_lifts_need_no_intervals(grade, answer):
    """Without intervals everything but coverage is graded."""
    _, told = grade(answer("arm,metric,estimate", [("slower", "pages", -0.1)]))
    assert told["scores"]["coverage"] is told["scores"]["coverage_p"] is None
    assert told["scores"]["sign_right"] == 1


def test_intervals_of_an_honest_analysis_are_calibrated(grade, answer, data):
    """Estimates that err as their own standard errors say are covered as 95 % intervals should be."""
    rows = []
    for (arm, metric, who, lift, se), u in zip(lifts_of(data), noise(1_000, 9), strict=False):
        if se:
            estimate = lift + se * stats.norm.ppf(u)
            rows.append((arm, metric, estimate, estimate - 1.96 * se, estimate + 1.96 * se, who))
    assert len(rows) > 15
    _, honest = grade(answer("arm,metric,estimate,low,high,persona", rows))
    assert honest["scores"]["coverage_p"] > 0.05
    sure = [(*row[:3], row[2] - (row[2] - row[3]) / 4, row[2] + (row[2] - row[3]) / 4, row[5]) for row in rows]
    _, overconfident = grade(answer("arm,metric,estimate,low,high,persona", sure))
    assert overconfident["scores"]["coverage_p"] < 1e-6
    assert overconfident["scores"]["mean_relative_error"] == honest["scores"]["mean_relative_error"]


def test_perfect_churn_gets_perfect_scores(grade, answer, shoppers):
    """The label itself as a probability: areas of 1, no loss, every call right, and better than the model's own."""
    code, told = grade(answer("shopper,probability", [(s["shopper"], int(s["churned"])) for s in shoppers]))
    assert code == 0
    scores = told["scores"]
    perfect = ("roc_auc", "pr_auc", "accuracy", "precision", "recall")
    assert all(scores[name] == 1 for name in perfect)
    assert scores["brier"] == scores["calibration_error"] == 0
    assert scores["log_loss"] == pytest.approx(0, abs=1e-12)
    assert all(told["reference"][name] < 1 for name in perfect)


def test_guessed_churn_scores_near_chance(grade, answer, shoppers):
    """Random probabilities: a ROC area of ½ and a precision of the base rate, within four standard errors."""
    _, told = grade(answer("shopper,probability", zip(range(SHOPPERS), noise(SHOPPERS, 7), strict=True)))
    churned = sum(s["churned"] for s in shoppers)
    spread = math.sqrt((SHOPPERS + 1) / (12 * churned * (SHOPPERS - churned)))
    assert abs(told["scores"]["roc_auc"] - 0.5) < 4 * spread
    assert abs(told["scores"]["pr_auc"] - churned / SHOPPERS) < 0.06
    assert told["scores"]["brier"] == pytest.approx(1 / 3, abs=0.03)


def test_churn_by_hand():
    """Five shoppers, counted by hand, and the same from the formulas of scikit-learn."""
    churned = np.array([True, False, True, False, True])
    given = np.array([0.9, 0.8, 0.6, 0.3, 0.35])
    scores = grade_churn(churned, given, given).scores
    # of the six pairs (churned, stayed) the churned one is above in 0.9>0.8, 0.9>0.3, 0.6>0.3, 0.35>0.3
    assert scores["roc_auc"] == pytest.approx(4 / 6)
    # precision at each churned one, from the top: 1/1, 2/3, 3/4
    assert scores["pr_auc"] == pytest.approx((1 + 2 / 3 + 3 / 4) / 3)
    assert scores["brier"] == pytest.approx((0.01 + 0.64 + 0.16 + 0.09 + 0.4225) / 5)
    assert scores["log_loss"] == pytest.approx(-sum(map(math.log, (0.9, 0.2, 0.6, 0.7, 0.35))) / 5)
    assert (scores["accuracy"], scores["precision"], scores["recall"]) == pytest.approx((3 / 5, 2 / 3, 2 / 3))
    assert scores["calibration_error"] == pytest.approx((0.1 + 0.8 + 0.4 + abs(0.65 - 1)) / 5, abs=0.2)
    bins = calibration(churned, given)
    assert [(b["from"], b["shoppers"], b["predicted"], b["churned"]) for b in bins] == [
        (0.3, 2, pytest.approx(0.325), 0.5),
        (0.6, 1, 0.6, 1.0),
        (0.8, 1, 0.8, 0.0),
        (0.9, 1, 0.9, 1.0),
    ]
    error = (2 * abs(0.325 - 0.5) + 0.4 + 0.8 + 0.1) / 5
    assert scores["calibration_error"] == pytest.approx(error)


@pytest.mark.parametrize("seed", range(12))
def test_scores_against_another_library(seed):
    """Scikit-learn gives every index, area and loss the same, ties, many segments and few included."""
    truth, found = ((noise(300, seed + 20 * i) ** (i + 1) * (2 + 3 * seed)).astype(int) for i in range(2))
    told = grade_segments(truth, found).scores
    assert told["ari"] == pytest.approx(metrics.adjusted_rand_score(truth, found), rel=1e-9, abs=1e-12)
    assert told["ami"] == pytest.approx(metrics.adjusted_mutual_info_score(truth, found), rel=1e-9, abs=1e-12)
    churned, given = noise(400, seed) < 0.3, np.round(noise(400, seed + 50), seed % 4)
    scores = grade_churn(churned, given, given).scores
    assert scores["roc_auc"] == pytest.approx(metrics.roc_auc_score(churned, given), rel=1e-12)
    assert scores["pr_auc"] == pytest.approx(metrics.average_precision_score(churned, given), rel=1e-12)
    assert scores["brier"] == pytest.approx(metrics.brier_score_loss(churned, given), rel=1e-12)
    assert scores["log_loss"] == pytest.approx(metrics.log_loss(churned, given), rel=1e-9)
    called = given >= 0.5
    assert scores["accuracy"] == pytest.approx(metrics.accuracy_score(churned, called))
    assert scores["recall"] == pytest.approx(metrics.recall_score(churned, called))


@pytest.mark.parametrize("seed", range(5))
def test_areas_by_their_definitions(seed):
    """The areas are those of their textbook formulas, written down once more, ties included."""
    churned, given = noise(400, seed) < 0.3, np.round(noise(400, seed + 50), 1)
    scores = grade_churn(churned, given, given).scores
    ranks = stats.rankdata(given)
    area = (ranks[churned].sum() - churned.sum() * (churned.sum() + 1) / 2) / (churned.sum() * (~churned).sum())
    assert scores["roc_auc"] == pytest.approx(area, rel=1e-12)
    levels = [-np.inf, *sorted(set(given.tolist()))][::-1]
    recalls = [(churned & (given >= level)).sum() / churned.sum() for level in levels[:-1]]
    precisions = [churned[given >= level].mean() for level in levels[:-1]]
    average = sum(p * (b - a) for (a, b), p in zip(pairwise([0.0, *recalls]), precisions, strict=True))
    assert scores["pr_auc"] == pytest.approx(average, rel=1e-12)


def test_labels_are_graded_as_calls(grade, answer, shoppers):
    """Labels may be 0 and 1 or words; probabilities they are not, so areas and losses are left out."""
    words = {True: "yes", False: "False"}
    _, told = grade(answer("shopper,label", [(s["shopper"], words[s["churned"]]) for s in shoppers]))
    assert told["scores"] == {"accuracy": 1, "precision": 1, "recall": 1}
    assert told["details"] == []


def test_the_threshold_decides_the_calls(grade, answer, shoppers):
    """With a threshold of 0 everybody is called: all churned are found, and precision is their share."""
    path = answer("shopper,probability", [(s["shopper"], s["churn_p"]) for s in shoppers])
    _, told = grade(path, "--threshold", "0")
    share = sum(s["churned"] for s in shoppers) / SHOPPERS
    assert (told["scores"]["recall"], told["scores"]["precision"]) == (1, pytest.approx(share))
    assert told["scores"] == told["reference"]


def test_one_outcome_has_no_areas():
    """Where everybody stays, areas and recall cannot be told, and say so instead of warning."""
    scores = grade_churn(np.zeros(4, bool), np.full(4, 0.2), np.full(4, 0.2)).scores
    assert scores["roc_auc"] is scores["pr_auc"] is scores["recall"] is None
    assert scores["brier"] == pytest.approx(0.04)


def test_parquet_is_read_like_csv(grade, answer, shoppers, tmp_path):
    """The same answer as Parquet, numbers as numbers and names as dictionary, scores the same."""
    table = pa.table(
        {
            "shopper": [s["shopper"] for s in shoppers],
            "segment": pa.array([s["persona"][:6] for s in shoppers]).dictionary_encode(),
        }
    )
    pq.write_table(table, tmp_path / "answer.parquet")
    rows = zip(*(c.to_pylist() for c in table.columns), strict=True)
    assert grade(tmp_path / "answer.parquet") == grade(answer("shopper,segment", rows))


def test_truth_may_be_a_file(footfall, answer, data, shoppers):
    """`--truth` takes the data set, its truth.json, or the table's file alone."""
    path = answer("shopper,segment", [(s["shopper"], s["persona"]) for s in shoppers])
    for truth in (data, data / "truth.json", data / "truth_shoppers" / "part-00000.parquet"):
        said = footfall("grade", "--truth", truth, "--answer", path, "--at-least", "ari=1")
        assert said.code == 0, said.err
    lifts = answer("arm,metric,estimate", [("slower", "pages", -0.1)], "lifts.csv")
    assert footfall("grade", "--truth", data / "truth.json", "--answer", lifts).code == 0


def test_gates(grade, answer, shoppers):
    """A score below --at-least or above --at-most is 1 and says so on stderr and in JSON; a met one is 0."""
    path = answer("shopper,probability", [(s["shopper"], s["churn_p"]) for s in shoppers])
    assert grade(path, "--at-least", "roc_auc=0.5", "--at-most", "brier=0.3")[0] == 0
    code, told = grade(path, "--at-least", "roc_auc=0.99", "--at-most", "brier=0.01")
    assert code == 1
    assert len(told["missed"]) == 2


def test_a_gate_on_what_cannot_be_told_is_missed(grade, answer):
    """A bound on coverage fails an answer without intervals."""
    path = answer("arm,metric,estimate", [("slower", "pages", -0.1)])
    assert grade(path, "--at-least", "coverage=0")[0] == 1


@pytest.mark.parametrize(
    ("gate", "said_so"), [("arl=0.5", "its scores are ari, ami, matched_accuracy"), ("ari", "no METRIC=VALUE")]
)
def test_bad_gates_are_usage_errors(footfall, answer, data, shoppers, gate, said_so):
    """A score that this kind of answer has not, or a bound without a number, is answered with what there is."""
    path = answer("shopper,segment", [(s["shopper"], "x") for s in shoppers])
    said = footfall("grade", "--truth", data, "--answer", path, "--at-least", gate)
    assert said.code == 2
    assert said_so in said.err


def test_people_get_a_table(footfall, answer, data, shoppers):
    """Without --json stdout holds each score with how to read it, and the details."""
    path = answer("shopper,probability", [(s["shopper"], s["churn_p"]) for s in shoppers])
    said = footfall("grade", "--truth", data, "--answer", path)
    assert said.code == 0
    assert said.err == ""
    assert f"churn: {SHOPPERS:,} rows" in said.out
    assert all(name in said.out for name in ("roc_auc", "brier", "predicted", "chances"))
    assert all(len(line) <= 80 for line in said.out.splitlines())


def faults(footfall, data, path):
    """Return the faults that are told of an answer, each from its line on."""
    said = footfall("grade", "--truth", data, "--answer", path)
    assert (said.code, said.out) == (2, "")
    return [line.removeprefix(f"error: {path}") for line in said.err.splitlines()]


def test_all_faults_of_a_churn_answer_at_once(footfall, answer, data):
    """Not a number, out of range, empty, doubled, unknown and missing shoppers, unknown columns: each with its line."""
    rows = [(n, 0.5, "") for n in range(SHOPPERS - 2)]
    rows += [
        (5, 0.1, ""),
        (SHOPPERS, 0.2, ""),
        ("six", 0.1, ""),
        (-4, "nan", ""),
        (7.5, 1.5, ""),
        (SHOPPERS - 1, "", ""),
    ]
    told = faults(footfall, data, answer("shopper,probability,nots", rows))
    last = SHOPPERS - 1
    assert told == [
        f": shopper lacks 1 of 1,200 shoppers ({last - 1}), each needs a row. Hint: {HINT}",
        ":1: nots is no column of this kind of answer, its columns are shopper,probability or shopper,label",
        f":{last + 1}: shopper 5 stands again, line 7 has it. Hint: keep one row each",
        f":{last + 2}: shopper 1200 is not in the data, the truth has 1,200 shoppers, 0 to 1199",
        f":{last + 3}: shopper is six, must be the number of a shopper",
        f":{last + 4}: probability is nan, must be a finite number",
        f":{last + 4}: shopper -4 is not in the data, the truth has 1,200 shoppers, 0 to 1199",
        f":{last + 5}: probability is 1.5, must be a probability from 0 to 1",
        f":{last + 5}: shopper is 7.5, must be the number of a shopper",
        f":{last + 6}: probability is empty, must be a finite number",
    ]


def test_all_faults_of_a_lifts_answer_at_once(footfall, answer, data):
    """Arms and metrics that are not there are told with those that are; control has no lift; low is not above high."""
    rows = [
        ("slowr", "pages", 1, 0, 2, ""),
        ("control", "bounce", 1, 0, 2, ""),
        ("slower", "bonce", "inf", 3, 2, ""),
        ("slower", "pages", 1, "x", 2, "tourst"),
        ("slower", "orders", 1, 0, 2, ""),
        ("slower", "orders", 2, 0, 2, ""),
    ]
    told = faults(footfall, data, answer("arm,metric,estimate,low,high,persona", rows))
    assert [line.partition(",")[0] for line in told] == [
        ":2: arm is slowr",
        ":3: arm is control",
        ":4: estimate is inf",
        ":4: low is 3",
        ":4: metric is bonce",
        ":5: low is x",
        ":5: persona is tourst",
        ":7: arm slower",
    ]
    assert told[0].endswith("did you mean slower?")
    assert told[1].endswith("control is what the others are compared with")


def test_many_faults_alike_are_counted(footfall, answer, data):
    """Of a thousand faults of one kind twenty are told one by one, and how many more there are."""
    told = faults(footfall, data, answer("shopper,label", [(n, "maybe") for n in range(SHOPPERS)]))
    assert len(told) == 21
    assert told[0] == ": label has 1,180 more faults of this kind"
    assert told[1] == ":2: label is maybe, must be one of 1, true, yes, 0, false, no"


SHAPELESS = {
    "who,what\n1,2\n": "has the columns who, what, an answer is one of segments: shopper,segment; lifts: arm,metric",
    "shopper,segmnt\n1,2\n": "did you mean segment?",
    "": "has the columns of nothing",
    "shopper,segment,probability\n1,a,0.5\n": "mixes churn and segments",
    "shopper,segment\n": "has no rows",
    "segment\na\n": "shopper is missing",
    "arm,metric,estimate,low\nslower,pages,1,0\n": "high is missing, an interval has both ends",
    "shopper,label,probability\n1,1,1\n": "label stands beside probability",
    "shopper,segment\n1,a\n2\n3,b,c\n": "has 1 cells, the first line has 2",
    'shopper,segment\n1,"a\n': "cannot be read",
    "shopper,segment\n1,\xff\n": "cannot be read",
    "shopper,shopper,segment\n1,1,a\n": "shopper stands 2 times",
}


@pytest.mark.parametrize("text", SHAPELESS)
def test_what_is_no_answer(footfall, data, tmp_path, text):
    """A file that is none of the three kinds, or broken, is told what an answer looks like."""
    path = tmp_path / "answer.csv"
    path.write_bytes(text.encode("latin-1"))
    assert any(SHAPELESS[text] in line for line in faults(footfall, data, path))


def test_files_that_are_not_there(footfall, answer, data, tmp_path):
    """A missing answer, a truth that is none, and a data set without truth: which, and how to get it."""
    good = answer("shopper,segment", [(1, "a")])
    lifts = answer("arm,metric,estimate", [("slower", "pages", 1)], "lifts.csv")
    (tmp_path / "empty").mkdir()
    (tmp_path / "truth.json").write_text("[]")
    for truth, path, words in (
        (data, tmp_path / "none.csv", "none.csv: does not exist"),
        (tmp_path / "none", good, "none: does not exist, a data set with its truth is needed"),
        (tmp_path / "empty", good, "empty: holds no table truth_shoppers"),
        (good, good, "answer.csv: has no column persona in truth_shoppers"),
        (tmp_path / "empty", lifts, "truth.json: does not exist, lifts are graded by it"),
        (tmp_path / "truth.json", lifts, "truth.json: is not a truth.json"),
    ):
        said = footfall("grade", "--truth", truth, "--answer", path)
        assert (said.code, said.out) == (2, "")
        assert words in said.err


def test_without_a_second_arm_there_are_no_lifts(footfall, answer, tmp_path):
    """A scenario with control alone has nothing to compare, and the message says what to do."""
    made = footfall("generate", "smoke", "--shoppers", 20, "--also", "truth", "--out", tmp_path / "data")
    assert made.code == 0, made.err
    lifts = answer("arm,metric,estimate", [("slower", "pages", 1)])
    said = footfall("grade", "--truth", tmp_path / "data", "--answer", lifts)
    assert said.code == 2
    assert "knows no lifts" in said.err


def test_every_score_is_explained():
    """Whatever is scored, the table says how to read it."""
    truth = np.array(["a", "b"])
    graded = [grade_segments(truth, truth), grade_churn(np.array([True, False]), np.ones(2), np.ones(2))]
    assert {name for one in graded for name in one.scores} < set(SCORES)
