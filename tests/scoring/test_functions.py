"""The functions that compute scores, on input that is small enough to count by hand."""

import numpy as np
import pytest
from scipy.spatial.distance import pdist
from scipy.stats import spearmanr

from common.scoring import scores
from common.scoring.data import SplitData
from common.scoring.parameters import MIN_ROWS
from common.scoring.scores import (
    SCORES,
    compute_outcomes,
    distance_correlation,
    knn_accuracy,
    knn_preservation,
    mean_outcome,
    query_score,
    rank_distances,
    square_distances,
)


def make_data(**given) -> SplitData:
    """Return the data of a split with what is given; the rest has no columns, or is unknown."""
    n = len(next(iter(given.values())))
    none = np.empty((n, 0), int)
    defaults = {"features": none, "coordinates": none, "neighbors": none, "map_neighbors": none}
    defaults |= {"labels": np.zeros(n, int), "classes": ["a", "b"], "voter_labels": np.zeros(n, int)}
    given = {"distance_ranks": rank_distances(given.get("features", none))} | given
    return SplitData(**defaults | {"queries": np.arange(n), "of_queries": {}} | given)


def test_ten_nearest_neighbors_vote_and_the_nearest_decides_a_tie():
    voters = np.array([0] * 6 + [1] * 6)
    six_of_ten = [*range(12)]  # whatever the last two are
    ties = [[0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11], [6, 7, 8, 9, 10, 0, 1, 2, 3, 4, 5]]
    neighbors = np.array([six_of_ten[:11], *ties])
    data = make_data(neighbors=neighbors, voter_labels=voters, labels=np.array([0, 0, 1]))
    assert knn_accuracy("features", data).tolist() == [True, True, True]
    data = make_data(neighbors=neighbors, voter_labels=voters, labels=np.array([1, 1, 1]))
    assert knn_accuracy("features", data).tolist() == [False, False, True]


def test_accuracy_of_each_space_has_its_neighbors():
    data = make_data(neighbors=np.array([[0], [0]]), map_neighbors=np.array([[1], [0]]), voter_labels=np.array([0, 1]))
    assert knn_accuracy("features", data).tolist() == [True, True]
    assert knn_accuracy("map", data).tolist() == [False, True]


def test_without_labels_scores_of_classes_are_not_defined():
    data = make_data(neighbors=np.array([[0], [0]]), classes=[], of_queries={"trustworthiness": np.ones(2)})
    assert knn_accuracy("features", data) is knn_accuracy("map", data) is None
    assert query_score("silhouette_map", data) is query_score("silhouette_features", data) is None
    assert query_score("trustworthiness", data).tolist() == [1, 1]


@pytest.mark.parametrize("block", [1, 2, 10_000])
def test_preserved_neighbors_are_those_in_both_whatever_their_order(block):
    map_neighbors = np.array([[1, 2, 3, 4], [5, 6, 7, 8], [1, 2, 3, 4]])
    neighbors = np.array([[3, 2, 1, 9], [9, 0, 1, 5], [5, 6, 7, 8]])
    data = make_data(map_neighbors=map_neighbors, neighbors=neighbors)
    assert knn_preservation(3, data, block).tolist() == [1, 0, 0]
    assert knn_preservation(4, data, block).tolist() == [0.75, 0.25, 0]


def test_score_of_queries_is_unknown_for_the_other_images():
    data = make_data(labels=np.zeros(5, int), queries=np.array([1, 3]), of_queries={"continuity": np.array([0.5, 0.7])})
    np.testing.assert_array_equal(query_score("continuity", data), [np.nan, 0.5, np.nan, 0.7, np.nan])


def correlate(features: np.ndarray, coordinates: np.ndarray) -> np.ndarray:
    return distance_correlation(make_data(features=features, coordinates=coordinates))


def test_distances_of_ten_disjoint_samples_are_correlated(rows, monkeypatch):
    features, coordinates = (part[:333] for part in rows[:2])
    samples = []
    monkeypatch.setattr(scores, "square_distances", lambda rows: samples.append(rows) or square_distances(rows))
    found = correlate(features, coordinates)
    monkeypatch.undo()
    assert len(found) == 10 and len(samples) == 20
    for value, sample, points in zip(found, samples[:10], samples[10:], strict=True):
        assert sample.shape == (33, 64) and points.shape == (33, 2)
        assert value == pytest.approx(spearmanr(pdist(sample), pdist(points)).statistic)
    numbers = {sample.tobytes(): row for row, sample in enumerate(features)}
    drawn = [[numbers[row.tobytes()] for row in sample] for sample in samples[:10]]
    assert len({row for sample in drawn for row in sample}) == 330, "no image is in two samples"
    assert all(np.array_equal(coordinates[rows], points) for rows, points in zip(drawn, samples[10:], strict=True))
    assert len(set(map(tuple, drawn))) == 10 and max(drawn[0]) > 200, "the samples are random"


def test_squared_distances_are_those_of_all_pairs_and_exact_for_copies(rows):
    assert np.allclose(square_distances(rows[0][:50]), pdist(rows[0][:50]) ** 2)
    assert not square_distances(np.full((5, 3), 0.1, np.float32)).any()


def test_samples_have_at_most_500_images():
    points = np.random.default_rng(0).normal(size=(6000, 2))
    other = points.copy()
    other[np.random.default_rng(0).permutation(6000)[5000:]] = 0  # the last rows of this order are in no sample
    assert correlate(points, other) == pytest.approx(np.ones(10))


@pytest.mark.parametrize("count", [3, 31, 299])
def test_small_split_is_one_sample(rows, count):
    features, coordinates = (part[:count] for part in rows[:2])
    expected = spearmanr(pdist(features), pdist(coordinates)).statistic
    assert correlate(features, coordinates) == pytest.approx([expected])


@pytest.mark.parametrize("count", [1, 2, 5])
def test_equal_distances_have_no_correlation(count):
    points = np.random.default_rng(0).normal(size=(count, 2))
    assert np.isnan(correlate(points, np.ones((count, 2)))).all()
    assert np.isnan(correlate(np.ones((count, 2)), points)).all()


def test_correlation_of_distances_does_not_depend_on_their_scale(rows):
    assert correlate(rows[1], 1e-3 * rows[1]) == pytest.approx(1)
    assert correlate(1e3 * rows[0], rows[1]) == pytest.approx(correlate(rows[0], rows[1]))


def test_outcomes_of_some_spaces_are_computed(rows):
    n = 40
    neighbors = np.tile(np.arange(30), (n, 1))
    of_queries = {key: np.full(n, 0.5) for key in SCORES if key.startswith(("trust", "cont", "silh"))}
    given = {"features": rows[0][:n], "coordinates": rows[1][:n], "neighbors": neighbors, "map_neighbors": neighbors}
    data = make_data(**given, voter_labels=rows[2], of_queries=of_queries)
    by_space = {space: compute_outcomes(data, [space]) for space in ("features", "map", "network")}
    assert list(by_space["features"]) == ["knn_accuracy_features", "silhouette_features"]
    assert by_space["network"] == {} and len(by_space["map"]) == 7
    assert by_space["map"].keys() | by_space["features"].keys() == compute_outcomes(data, ("features", "map")).keys()
    for key, values in (by_space["map"] | by_space["features"]).items():
        assert values.shape == ((1,) if key == "distance_correlation" else (n,)), key


@pytest.mark.parametrize(
    ("outcomes", "mean"),
    [
        (np.array([True, False, False, True]), 0.5),
        (np.array([0.5, np.nan, 1]), 0.75),
        (np.array([np.nan, np.nan]), None),
        (np.array([]), None),
        (None, None),
        (np.array([0]), 0),
        (np.array([1, 1, 0, *[1] * 7], np.float32), 0.9),  # exact in single precision, but for the division
    ],
)
def test_mean_is_that_of_the_known_outcomes(outcomes, mean):
    assert mean_outcome(outcomes) == mean and not isinstance(mean_outcome(outcomes), np.generic)


def test_fewest_rows_have_thirty_neighbors_beside_themselves():
    assert MIN_ROWS == 31
