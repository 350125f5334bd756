"""Every score of the registry: its range, odd input, and an independent computation on real data."""

import dataclasses
import json
import math
from collections.abc import Callable

import numpy as np
import pytest
from compare_layers import find_correct
from scipy.spatial.distance import cdist, pdist
from scipy.stats import rankdata
from score_map import score_map
from sklearn.manifold import trustworthiness
from sklearn.metrics import silhouette_score
from sklearn.neighbors import NearestNeighbors

from common.names import SPLITS
from common.scoring.scores import SCORES, Score
from common.tables import load_table

COMPUTED = [key for key, score in SCORES.items() if score.compute]
SPACES = {"features": "features", "map": "coordinates"}
SILHOUETTES = {"silhouette_features", "silhouette_map"}
LABELED = {"knn_accuracy_features", "knn_accuracy_map", *SILHOUETTES}


def find_with_scikit_learn(digits: dict, split: str, space: str, k: int) -> np.ndarray:
    """Return the k nearest training images of each image of a split in one space, (n, k), without itself."""
    index = NearestNeighbors(n_neighbors=k).fit(digits["train"][SPACES[space]])
    return index.kneighbors(None if split == "train" else digits[split][SPACES[space]], return_distance=False)


def refer_knn_accuracy(space: str) -> Callable[..., float]:
    """Return a function that counts votes with the standard library, of neighbors that scikit-learn finds."""

    def compute(digits: dict, split: str, most_common: Callable) -> float:
        voters = digits["train"]["labels"][find_with_scikit_learn(digits, split, space, 10)]
        return np.mean(most_common(voters) == digits[split]["labels"])

    return compute


def refer_knn_preservation(k: int) -> Callable[..., float]:
    """Return a function that counts common neighbors with sets."""

    def compute(digits: dict, split: str, _: Callable) -> float:
        found = [find_with_scikit_learn(digits, split, space, k).tolist() for space in SPACES]
        return np.mean([len(set(a) & set(b)) / k for a, b in zip(*found, strict=True)])

    return compute


def refer_trustworthiness(true: str, shown: str) -> Callable[..., float]:
    """Return a function that computes the score of Venna and Kaski (2001) with scikit-learn.

    That of held-out images is the mean of their penalties among the training images.
    """

    def compute(digits: dict, split: str, _: Callable) -> float:
        train = digits["train"]
        if split == "train":
            return trustworthiness(train[true], train[shown], n_neighbors=10)
        n, k = len(train["labels"]) + 1, 10
        distances = [cdist(digits[split][space], train[space]) for space in (true, shown)]
        ranks = [matrix.argsort(axis=1).argsort(axis=1) + 1 for matrix in distances]
        penalties = np.where(ranks[1] <= k, np.maximum(ranks[0] - k, 0), 0).sum(axis=1)
        return 1 - 2 / (k * (2 * n - 3 * k - 1)) * penalties.mean()

    return compute


def refer_silhouette(space: str) -> Callable[..., float]:
    """Return a function that computes the silhouette with scikit-learn; of held-out images by its definition."""

    def compute(digits: dict, split: str, _: Callable) -> float:
        train = digits["train"]
        if split == "train":
            return silhouette_score(train[SPACES[space]], train["labels"])
        values = []
        for row, label in zip(digits[split][SPACES[space]], digits[split]["labels"], strict=True):
            distances = np.linalg.norm(row.astype(float) - train[SPACES[space]], axis=1)
            means = {number: distances[train["labels"] == number].mean() for number in set(train["labels"].tolist())}
            within = means.pop(label)
            values.append((min(means.values()) - within) / max(min(means.values()), within))
        return np.mean(values)

    return compute


def refer_distance_correlation(digits: dict, split: str, _: Callable) -> float:
    """Return Pearson's correlation of the ranks of all distances: the splits are small."""
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
def test_score_agrees_with_an_independent_computation(digits, scores, most_common, key, split):
    assert scores[split][key] == pytest.approx(REFERENCES[key](digits, split, most_common), abs=1e-5)


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("key", COMPUTED)
def test_score_is_in_its_range_and_not_at_its_end(scores, key, split):
    low, high = SCORES[key].range
    assert low < scores[split][key] < high


@pytest.fixture(scope="module")
def best(split_rows) -> dict[str, dict]:
    """The scores of two small clusters that are far apart, and of an embedding that equals the features."""
    labels = np.arange(120) % 2
    points = np.random.default_rng(0).normal(size=(120, 2)) + 1e4 * labels[:, None]
    splits = split_rows(points, points, labels, {"train": 70, "validation": 10, "test": 40})
    return score_map(splits, ["a", "b"], np.arange(70))[0]


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("key", COMPUTED)
def test_best_score_is_the_upper_end_of_its_range(best, key, split):
    assert best[split][key] == pytest.approx(SCORES[key].range[1], abs=1e-3)


@pytest.mark.parametrize("key", SCORES)
def test_range_of_silhouettes_and_correlations_begins_at_minus_one_and_that_of_others_at_zero(key):
    """Shares, accuracies and divergences are not negative."""
    assert SCORES[key].range[0] == (-1 if key.startswith("silhouette") or key.endswith("correlation") else 0)


def test_scores_that_another_rule_knows_are_not_computed_here(scores):
    others = {"knn_accuracy_cosine", "knn_accuracy_pca", "linear_probe_accuracy", "class_mean_accuracy"}
    others |= {"separation_fuzziness", "intrinsic_dimension", "kl_divergence", "network_accuracy"}
    assert set(SCORES) - set(COMPUTED) == others
    expected = {"rows", "queries", "silhouettes_by_class", "baseline_pca", "baseline_random", *COMPUTED}
    for split in SPLITS:
        assert set(scores[split]) == expected


def test_right_predictions_are_known_of_each_split(tmp_path):
    path = tmp_path / "predictions.csv"
    path.write_text("split,label,prediction\ntrain,1,1\ntrain,2,2\ntrain,3,2\nvalidation,0,0\ntest,5,5\ntest,6,7\n")
    correct = find_correct(load_table(path))
    assert {split: values.tolist() for split, values in correct.items()} == {
        "train": [1, 1, 0],
        "validation": [1],
        "test": [1, 0],
    }
    path.write_text("split,label,prediction\ntrain,1,\ntest,5,\n")  # a network that predicts other classes
    assert find_correct(load_table(path)) == {}


ODD_INPUTS = {  # scores of test images that are not defined, and how the rows differ from the digits
    "no labels": (LABELED, {"classes": []}),
    "one class": (SILHOUETTES, {"labels": 0}),
    "a class for each row": (set(), {"labels": range}),
    "classes without training rows": (SILHOUETTES, {"labels": "others"}),
    "31 rows": (set(), {"n_train": 31}),
    "1 test row": ({"distance_correlation"}, {"n_test": 1}),
    "2 test rows": ({"distance_correlation", *SILHOUETTES}, {"n_test": 2, "labels": 0}),
    "all rows equal": ({"distance_correlation"}, {"features": 1, "coordinates": 2}),
    "all coordinates equal": ({"distance_correlation"}, {"coordinates": 2}),
    "no test rows": (set(COMPUTED), {"n_test": 0}),
}


def score_odd_input(rows, split_rows, classes, features=None, coordinates=None, labels=None, n_train=60, n_test=40):
    """Return the scores of digits of which some properties are replaced, without validation images."""
    parts = [np.concatenate([part[:n_train], part[len(part) - n_test :]]) for part in rows]
    if features is not None:
        parts[0] = np.full_like(parts[0], features)
    if coordinates is not None:
        parts[1] = np.full_like(parts[1], coordinates)
    if labels is not None:
        test_labels = {0: np.zeros(n_test, int), range: np.arange(n_test), "others": np.full(n_test, n_train)}[labels]
        parts[2] = np.concatenate([np.zeros(n_train, int) if labels == 0 else np.arange(n_train), test_labels])
        classes = classes and [str(number) for number in range(max(parts[2]) + 1)]
    splits = split_rows(*parts, {"train": n_train, "validation": 0, "test": n_test})
    return score_map(splits, classes, np.arange(n_train), with_baselines=True)[0]


@pytest.fixture(scope="module", params=ODD_INPUTS)
def odd(request, rows, split_rows, classes) -> tuple[set[str], dict]:
    undefined, changes = ODD_INPUTS[request.param]
    return undefined, score_odd_input(rows, split_rows, **{"classes": classes} | changes)


@pytest.mark.parametrize("key", COMPUTED)
def test_score_of_odd_input_is_in_its_range_or_none(odd, key):
    undefined, scores = odd
    value = scores["test"][key]
    assert (value is None) == (key in undefined)
    assert value is None or SCORES[key].range[0] <= value <= SCORES[key].range[1]


def test_scores_of_odd_input_are_valid_json(odd):
    json.dumps(odd[1], allow_nan=False)


def test_every_score_says_how_it_is_shown():
    for score in SCORES.values():
        assert score.label and score.description and not score.description.endswith(".")
        assert score.range[0] < score.range[1] and score.space in (*SPACES, "network")
    assert len({score.label for score in SCORES.values()}) == len(SCORES)
    fields = [field.name for field in dataclasses.fields(Score)]
    assert fields == ["label", "description", "range", "space", "compute", "comparable"]


def test_scores_that_depend_on_the_dimension_or_the_features_are_not_comparable():
    assert {key for key, score in SCORES.items() if not score.comparable} == {"silhouette_features", "kl_divergence"}


def test_accuracy_of_the_network_is_a_share_and_some_scores_have_no_upper_limit():
    assert SCORES["network_accuracy"].range == (0, 1) and SCORES["network_accuracy"].space == "network"
    assert [key for key, score in SCORES.items() if math.isinf(score.range[1])] == [
        *("separation_fuzziness", "intrinsic_dimension", "kl_divergence"),
    ]
