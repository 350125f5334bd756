"""The kNN accuracy of a layer over the number of voters, by three metrics."""

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import cdist
from score_features import COLUMNS, find_voters, measure_dimensions, measure_features, score_votes, transform_to
from sklearn.decomposition import PCA
from sklearn.neighbors import NearestCentroid

from common.scoring.bootstrap import describe, resample_means
from common.scoring.parameters import MAX_VOTERS, VOTER_COUNTS
from common.scoring.separation import measure_separation

HELD_OUT = ("validation", "test")


@pytest.fixture
def features(digits) -> dict[str, np.ndarray]:
    return {split: rows["features"] for split, rows in digits.items()}


@pytest.fixture
def labels(digits) -> dict[str, np.ndarray]:
    return {split: rows["labels"] for split, rows in digits.items()}


def search(features, metric: str, splits=HELD_OUT, k: int = MAX_VOTERS, landmarks=None) -> dict[str, np.ndarray]:
    return find_voters(transform_to(metric, features, seed=0), splits, landmarks, k, 0, memory_mb=100, threads=2)


def refer_distances(features: dict[str, np.ndarray], split: str, metric: str) -> np.ndarray:
    """Return distances to the training rows by SciPy, in double precision, a row's own infinite."""
    rows, train = (features[name].astype(float) for name in (split, "train"))
    if metric == "pca":
        pca = PCA(50, svd_solver="full").fit(train)
        rows, train = pca.transform(rows), pca.transform(train)
    distances = cdist(rows, train, "cosine" if metric == "cosine" else "euclidean")
    if split == "train":
        np.fill_diagonal(distances, np.inf)
    return distances


@pytest.mark.parametrize("split", ["train", "validation", "test"])
@pytest.mark.parametrize("metric", ["cosine", "pca"])
def test_voters_are_the_nearest_training_rows_by_the_metric(features, metric, split):
    found = search(features, metric, [split])[split]
    distances = refer_distances(features, split, metric)
    assert found.shape == (len(features[split]), MAX_VOTERS)
    chosen, expected = np.take_along_axis(distances, found, axis=1), np.sort(distances, axis=1)[:, :MAX_VOTERS]
    np.testing.assert_allclose(chosen, expected, rtol=1e-4)
    assert (found == distances.argsort(axis=1)[:, :MAX_VOTERS]).mean() > 0.99, "but for rounding"


@pytest.mark.parametrize("metric", ["cosine", "pca"])
def test_with_landmarks_voters_are_landmarks_but_not_the_row_itself(features, metric):
    landmarks = np.arange(1, len(features["train"]), 3)
    found = search(features, metric, ["train", "test"], 20, landmarks)
    for split, voters in found.items():
        distances = refer_distances(features, split, metric)[:, landmarks]
        chosen = np.take_along_axis(distances, np.searchsorted(landmarks, voters), axis=1)
        assert np.isin(voters, landmarks).all()
        np.testing.assert_allclose(chosen, np.sort(distances, axis=1)[:, :20], rtol=1e-4)


def test_metrics_differ_from_each_other(features):
    cosine, pca = (search(features, metric)["test"] for metric in ("cosine", "pca"))
    euclidean = cdist(features["test"], features["train"]).argsort(axis=1)[:, :MAX_VOTERS]
    assert (cosine != euclidean).mean() > 0.1 and (pca != euclidean).mean() > 0.03


def test_vector_of_zeros_has_no_direction_but_voters(features):
    features["test"] = np.zeros((1, 64), np.float32)
    assert len(set(search(features, "cosine")["test"][0].tolist())) == MAX_VOTERS


@pytest.mark.parametrize("shape", [(31, 20), (31, 100), (400, 3)])
def test_components_are_as_many_as_there_can_be(shape):
    rows = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    projected = transform_to("pca", {"train": rows, "test": rows[:5]}, seed=0)
    assert projected["train"].shape == (len(rows), min(*shape)) and projected["test"].shape == (5, min(*shape))
    np.testing.assert_allclose(cdist(projected["train"], projected["train"]), cdist(rows, rows), atol=1e-3)


@pytest.fixture
def table_and_outcomes(features, labels) -> tuple[pd.DataFrame, dict[str, np.ndarray]]:
    euclidean = {split: search(features, "cosine", [split])[split] for split in features}
    return score_votes({"euclidean": euclidean, "pca": search(features, "pca")}, labels)


def test_accuracies_equal_votes_by_brute_force(table_and_outcomes, features, labels, most_common):
    table, _ = table_and_outcomes
    metrics = {"euclidean": "cosine", "pca": "pca"}
    for (metric, split), rows in table.groupby(["metric", "split"], sort=False):
        nearest = search(features, metrics[metric], [split])[split]
        for k, accuracy in zip(rows.k, rows.accuracy, strict=True):
            votes = most_common(labels["train"][nearest[:, :k]])
            assert accuracy == pytest.approx(np.mean(votes == labels[split]), abs=1e-6)
    assert table.groupby(["metric", "split"]).accuracy.nunique().min() > 2, "it depends on the number of voters"


def test_table_has_each_number_of_voters_by_metric_and_split(table_and_outcomes):
    table, _ = table_and_outcomes
    pairs = [("euclidean", split) for split in ("train", *HELD_OUT)] + [("pca", split) for split in HELD_OUT]
    assert list(dict.fromkeys(zip(table.metric, table.split, strict=True))) == pairs
    assert table.k.tolist() == list(VOTER_COUNTS) * len(pairs)
    assert set(COLUMNS) - set(table.columns) == {"layer", "epoch", "network_seed"}


def test_accuracies_have_the_intervals_of_their_images(table_and_outcomes, labels):
    table, outcomes = table_and_outcomes
    assert (table.low <= table.accuracy).all() and (table.accuracy <= table.high).all()
    row = table[(table.metric == "pca") & (table.split == "test") & (table.k == 10)].iloc[0]
    interval = describe(row.accuracy, resample_means([[outcomes["test_pca"]]], 2))
    assert interval == row[["accuracy", "low", "high"]].rename({"accuracy": "mean"}).to_dict()
    error = np.sqrt(row.accuracy * (1 - row.accuracy) / len(labels["test"]))
    assert row.high - row.low == pytest.approx(2 * 1.96 * error, rel=0.4)


def test_outcomes_are_those_of_ten_voters(table_and_outcomes, labels):
    table, outcomes = table_and_outcomes
    assert set(outcomes) == {"train_euclidean", *(f"{split}_{m}" for split in HELD_OUT for m in ("euclidean", "pca"))}
    for name, values in outcomes.items():
        split, metric = name.split("_")
        row = table[(table.metric == metric) & (table.split == split) & (table.k == 10)].iloc[0]
        assert values.shape == labels[split].shape and values.mean() == pytest.approx(row.accuracy)


def test_few_training_rows_have_fewer_numbers_of_voters(features, labels):
    features, labels = ({split: rows[:31] for split, rows in by.items()} for by in (features, labels))
    neighbors = search(features, "pca", ["train"], k=30)
    table, _ = score_votes({"pca": neighbors}, labels)
    assert table.k.tolist() == [1, 2, 3, 5, 7, 10, 15, 20, 30]


def test_one_class_is_always_right_and_has_no_interval(features):
    labels = {split: np.zeros(len(rows), int) for split, rows in features.items()}
    table, _ = score_votes({"cosine": search(features, "cosine")}, labels)
    assert (table.accuracy == 1).all() and table[["low", "high"]].isna().all(axis=None)


def test_outcomes_without_neighbors_have_the_means_of_the_scores(features, labels):
    splits = {split: {"features": features[split], "labels": labels[split]} for split in features}
    outcomes, record = measure_features(splits)
    names = ("linear_probe_accuracy", "class_mean_accuracy", "separation_fuzziness")
    assert set(outcomes) == {f"{split}_{name}" for split in features for name in names}
    nearest = NearestCentroid().fit(features["train"], labels["train"]).predict(features["test"])
    assert outcomes["test_class_mean_accuracy"].tolist() == (nearest == labels["test"]).tolist()
    found = measure_separation(splits)
    assert outcomes["test_separation_fuzziness"].mean() == pytest.approx(found.fuzziness["test"].mean(), rel=1e-5)
    assert record == {
        "linear_probe": {"strength": found.strength, "rows": len(labels["train"])},
        "undefined": {},
    }


def test_scores_of_one_class_are_undefined_with_the_reason(features):
    splits = {split: {"features": rows, "labels": np.zeros(len(rows), int)} for split, rows in features.items()}
    outcomes, record = measure_features(splits)
    assert outcomes == {} and record["undefined"]["linear_probe"] == "There are fewer than two classes."


def test_dimension_is_the_mean_of_its_outcomes():
    points = np.random.default_rng(0).random((2000, 3))
    distances = np.sort(cdist(points, points))[:, 1:11]
    outcomes, record = measure_dimensions({"train": distances, "test": np.ones((5, 2))})
    assert outcomes["train_intrinsic_dimension"].mean() == pytest.approx(3, abs=0.2) and len(outcomes) == 1
    assert 0 < record["train"]["standard_error"] < 0.2 and record["train"]["left_out"] == 0
    assert record["test"] == {"undefined": "The two nearest neighbors are at the same distance from each image."}
