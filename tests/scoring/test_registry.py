"""Every score of the registry: its range, odd input, and an independent computation on real data."""

import json
import math
from collections.abc import Callable

import numpy as np
import pytest
from compare_layers import measure_accuracy
from scipy.spatial.distance import cdist, pdist, squareform
from scipy.stats import rankdata
from score_map import score_map
from sklearn.neighbors import KNeighborsClassifier

from common.scoring.scores import ERROR_PANEL, PANELS, SCORES, as_number
from common.tables import load_table

COMPUTED = [key for key, score in SCORES.items() if score.compute]
SPLITS = ("train", "test")
SPACES = {"features": "features", "map": "coordinates"}


def refer_knn_accuracy(space: str) -> Callable[..., float]:
    """Return a function that computes kNN accuracy with scikit-learn, leaving each training image out in turn."""

    def compute(digits: dict, split: str) -> float:
        train, labels = digits["train"], digits[split]["labels"]
        distances = cdist(digits[split][SPACES[space]], train[SPACES[space]])
        if split == "train":
            np.fill_diagonal(distances, 1e9)
        classifier = KNeighborsClassifier(10, metric="precomputed")
        classifier.fit(np.zeros((len(train["labels"]),) * 2), train["labels"])
        return classifier.score(distances, labels)

    return compute


def refer_knn_preservation(k: int) -> Callable[..., float]:
    """Return a function that counts common neighbors with sets."""

    def compute(digits: dict, split: str) -> float:
        shares = []
        for row in range(len(digits[split]["labels"])):
            sets = []
            for name in SPACES.values():
                distances = np.linalg.norm(digits["train"][name] - digits[split][name][row], axis=1)
                if split == "train":
                    distances[row] = np.inf
                sets.append(set(distances.argsort()[:k].tolist()))
            shares.append(len(sets[0] & sets[1]) / k)
        return np.mean(shares)

    return compute


def refer_trustworthiness(true: str, shown: str) -> Callable[..., float]:
    """Return a function that computes the formula of Venna and Kaski (2001) from ranks, 1 for the nearest row."""

    def compute(digits: dict, split: str) -> float:
        n, k = len(digits[split]["labels"]), 10
        distances = {name: squareform(pdist(digits[split][name].astype(np.float64))) for name in (true, shown)}
        ranks = {name: matrix.argsort(axis=1).argsort(axis=1) for name, matrix in distances.items()}
        penalty = sum(
            ranks[true][i, j] - k for i in range(n) for j in range(n) if ranks[true][i, j] > k >= ranks[shown][i, j]
        )
        return 1 - 2 / (n * k * (2 * n - 3 * k - 1)) * penalty

    return compute


def refer_silhouette(space: str) -> Callable[..., float]:
    """Return a function that computes the definition of Rousseeuw (1987) row by row."""

    def compute(digits: dict, split: str) -> float:
        labels = digits[split]["labels"]
        distances = squareform(pdist(digits[split][SPACES[space]].astype(np.float64)))
        values = []
        for row, label in enumerate(labels):
            others = {other: distances[row][labels == other].mean() for other in set(labels) - {label}}
            within = distances[row][labels == label].sum() / ((labels == label).sum() - 1)
            nearest = min(others.values())
            values.append((nearest - within) / max(nearest, within))
        return np.mean(values)

    return compute


def refer_distance_correlation(digits: dict, split: str) -> float:
    """Return Pearson's correlation of the ranks of all distances."""
    ranks = [rankdata(pdist(digits[split][name].astype(np.float64))) for name in SPACES.values()]
    return np.corrcoef(*ranks)[0, 1]


REFERENCES = {
    "knn_accuracy_features": refer_knn_accuracy("features"),
    "knn_accuracy_map": refer_knn_accuracy("map"),
    "knn_preservation_10": refer_knn_preservation(10),
    "knn_preservation_30": refer_knn_preservation(30),
    "trustworthiness": refer_trustworthiness("features", "coordinates"),
    "continuity": refer_trustworthiness("coordinates", "features"),
    "silhouette_features": refer_silhouette("features"),
    "silhouette_map": refer_silhouette("map"),
    "distance_correlation": refer_distance_correlation,
}


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("key", COMPUTED)
def test_score_agrees_with_an_independent_computation(digits, scores, key, split):
    assert as_number(scores[split][key]) == pytest.approx(REFERENCES[key](digits, split), abs=1e-5)


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("key", COMPUTED)
def test_score_is_in_its_range_and_not_at_its_end(scores, key, split):
    low, high = SCORES[key].range
    assert low < as_number(scores[split][key]) < high


@pytest.fixture(scope="module")
def best(split_rows) -> dict[str, dict]:
    """The scores of two small clusters that are far apart, and of an embedding that equals the features."""
    labels = np.arange(100) % 2
    points = np.random.default_rng(0).normal(size=(100, 2)) + 1e4 * labels[:, None]
    return score_map(**split_rows(points, points, labels, 50), classes=["a", "b"], landmarks=np.arange(50))


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("key", COMPUTED)
def test_best_score_is_the_upper_end_of_its_range(best, key, split):
    assert as_number(best[split][key]) == pytest.approx(SCORES[key].range[1], abs=1e-3)


@pytest.mark.parametrize("key", SCORES)
def test_range_of_silhouettes_and_correlations_begins_at_minus_one_and_that_of_others_at_zero(key):
    """Shares, accuracies and divergences are not negative."""
    assert SCORES[key].range[0] == (-1 if key.startswith("silhouette") or key.endswith("correlation") else 0)


def test_scores_that_another_rule_knows_are_not_computed_here(scores):
    assert set(SCORES) - set(COMPUTED) == {"kl_divergence", "network_accuracy"}
    assert {"rows", "sample", *COMPUTED} == set(scores["train"]) == set(scores["test"])


def test_network_accuracy_is_the_share_of_right_predictions_of_a_split(tmp_path):
    path = tmp_path / "predictions.csv"
    path.write_text("split,label,prediction\ntrain,1,1\ntrain,2,2\ntrain,3,2\ntrain,0,0\ntest,5,5\ntest,6,7\n")
    assert measure_accuracy(load_table(path)) == {"train": 0.75, "test": 0.5}
    path.write_text("split,label,prediction\ntrain,1,\ntest,5,\n")  # a network that predicts other classes
    assert measure_accuracy(load_table(path)) == {}


LABELED = {"knn_accuracy_features", "knn_accuracy_map", "silhouette_features", "silhouette_map"}
SILHOUETTES = {"silhouette_features", "silhouette_map"}
ODD_INPUTS = {  # scores that are not defined, and how the rows differ from the digits
    "no labels": (LABELED, {"classes": []}),
    "one class": (SILHOUETTES, {"labels": 0}),
    "a class for each row": (SILHOUETTES, {"labels": range}),
    "31 rows": (set(), {"n_train": 31}),
    "20 test rows": (set(), {"n_test": 20}),
    "1 test row": ({"distance_correlation", *SILHOUETTES}, {"n_test": 1}),
    "2 test rows": ({"distance_correlation", *SILHOUETTES}, {"n_test": 2, "labels": 0}),
    "all rows equal": ({"distance_correlation"}, {"features": 1, "coordinates": 2}),
    "all coordinates equal": ({"distance_correlation"}, {"coordinates": 2}),
}


def score_odd_input(rows, split_rows, classes, features=None, coordinates=None, labels=None, n_train=60, n_test=40):
    """Return the scores of digits of which some properties are replaced."""
    parts = [np.concatenate([part[:n_train], part[-n_test:]]) for part in rows]
    if features is not None:
        parts[0] = np.full_like(parts[0], features)
    if coordinates is not None:
        parts[1] = np.full_like(parts[1], coordinates)
    if labels is not None:
        parts[2] = np.concatenate([np.arange(n) if labels is range else np.zeros(n, int) for n in (n_train, n_test)])
        classes = classes and [str(number) for number in range(max(parts[2]) + 1)]
    return score_map(**split_rows(*parts, n_train), classes=classes, landmarks=np.arange(n_train))


@pytest.fixture(scope="module", params=ODD_INPUTS)
def odd(request, rows, split_rows, classes) -> tuple[str, set[str], dict]:
    undefined, changes = ODD_INPUTS[request.param]
    changes = {"classes": classes} | changes
    return request.param, undefined, score_odd_input(rows, split_rows, **changes)


@pytest.mark.parametrize("key", COMPUTED)
def test_score_of_odd_input_is_in_its_range_or_none(odd, key):
    name, undefined, scores = odd
    if name in ("20 test rows", "1 test row", "2 test rows"):  # so few rows have no ten neighbors among themselves
        undefined = undefined | {"trustworthiness", "continuity"}
    value = as_number(scores["test"][key])
    assert (value is None) == (key in undefined)
    assert value is None or SCORES[key].range[0] <= value <= SCORES[key].range[1]


def test_scores_of_odd_input_are_valid_json(odd):
    json.dumps(odd[2], allow_nan=False)


def test_trustworthiness_needs_more_than_twenty_rows(rows, split_rows, classes):
    for n_test in (20, 21):
        scores = score_odd_input(rows, split_rows, classes, n_test=n_test)["test"]
        assert (scores["trustworthiness"] is None) == (scores["continuity"] is None) == (n_test == 20)


def test_every_score_says_how_it_is_shown():
    for score in SCORES.values():
        assert score.label and score.description and not score.description.endswith(".")
        assert score.range[0] < score.range[1] and score.tolerance > 0 and score.space in SPACES
        assert score.panel is None or (score.panel in PANELS and score.legend)
    assert len({score.label for score in SCORES.values()}) == len(SCORES)


@pytest.mark.parametrize("panel", PANELS)
def test_scores_of_a_panel_can_be_told_apart(panel):
    scores = [score for score in SCORES.values() if score.panel == panel]
    assert scores and len({(score.space, score.marker) for score in scores}) == len(scores)
    assert len({score.legend for score in scores}) == len(scores)


def test_accuracies_are_the_scores_in_the_panel_of_errors():
    assert [key for key, score in SCORES.items() if score.panel == ERROR_PANEL] == list(REFERENCES)[:2]
    assert ERROR_PANEL in PANELS


def test_accuracy_of_the_network_is_a_share_and_the_divergence_has_no_upper_limit():
    assert SCORES["network_accuracy"].range == (0, 1)
    assert [key for key, score in SCORES.items() if math.isinf(score.range[1])] == ["kl_divergence"]
