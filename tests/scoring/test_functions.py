"""The functions that compute scores, on input that is small enough to count by hand."""

import numpy as np
import pytest
from sklearn.metrics import silhouette_score

from common.scoring.data import SplitData, pairwise_distances
from common.scoring.parameters import MIN_ROWS
from common.scoring.scores import as_number, compute_scores, knn_accuracy, knn_preservation, silhouette, trustworthiness


def make_data(features, coordinates, labels, classes) -> SplitData:
    """Return the data of rows without neighbors, all of them in the sample."""
    none = np.empty((len(labels), 0), int)
    return SplitData(
        features=features,
        coordinates=coordinates,
        labels=labels,
        classes=classes,
        neighbors=none,
        map_neighbors=none,
        voter_labels=labels,
        sample=np.arange(len(labels)),
    )


def test_ten_nearest_neighbors_vote_and_the_smallest_label_wins_a_tie():
    labels = np.array([0] * 6 + [1] * 6)
    neighbors = np.array([[*range(12)], [*range(6, 12), *range(6)]])
    assert knn_accuracy(neighbors, labels, np.array([0, 1])) == 1, "6 of 10, whatever the last two are"
    assert knn_accuracy(neighbors, labels, np.array([1, 1])) == 0.5
    tie = np.array([[0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11]])
    assert knn_accuracy(tie, labels, np.array([0])) == 1
    assert knn_accuracy(tie, 1 - labels, np.array([0])) == 1


@pytest.mark.parametrize("block", [1, 2, 10_000])
def test_preserved_neighbors_are_those_in_both_whatever_their_order(block):
    map_neighbors = np.array([[1, 2, 3, 4], [5, 6, 7, 8], [1, 2, 3, 4]])
    neighbors = np.array([[3, 2, 1, 9], [9, 0, 1, 5], [5, 6, 7, 8]])
    assert knn_preservation(map_neighbors, neighbors, 3, block) == 3 / 9
    assert knn_preservation(map_neighbors, neighbors, 4, block) == 4 / 12


def test_a_copy_of_the_features_is_a_perfect_embedding(rows):
    coordinates, labels = rows[1][:60], rows[2][:60]
    scores = {
        "trustworthiness": trustworthiness(pairwise_distances(coordinates), coordinates),
        "distance_correlation": compute_scores_of_pairs(coordinates, labels)["distance_correlation"],
    }
    assert scores == {"trustworthiness": 1, "distance_correlation": pytest.approx(1)}


def compute_scores_of_pairs(coordinates: np.ndarray, labels: np.ndarray) -> dict:
    """Return the scores of an embedding that equals its features; each row is its own neighbor."""
    data = make_data(coordinates, coordinates, labels, list("0123456789"))
    itself = np.arange(len(labels))[:, None]
    return compute_scores(SplitData(**vars(data) | {"neighbors": itself, "map_neighbors": itself}))


def test_correlation_of_distances_does_not_depend_on_their_scale(rows):
    coordinates, labels = rows[1][:60], rows[2][:60]
    assert np.ptp(pairwise_distances(1e-3 * coordinates)) < 1
    assert compute_scores_of_pairs(1e-3 * coordinates, labels)["distance_correlation"] == pytest.approx(1)


def test_trustworthiness_is_lower_for_a_shuffled_embedding(rows):
    coordinates = rows[1][:60]
    shuffled = np.random.default_rng(0).permutation(coordinates)
    assert trustworthiness(pairwise_distances(coordinates), shuffled) < 0.7


def test_distance_of_a_row_to_itself_is_zero_even_where_rounding_says_otherwise():
    rows = np.random.default_rng(0).normal(1e4, 1, (40, 50)).astype(np.float32)
    distances = pairwise_distances(rows)
    assert (np.diag(distances) == 0).all() and (distances[~np.eye(40, dtype=bool)] > 0).all()


def test_silhouette_has_the_mean_of_each_class_by_name(rows):
    features, coordinates, labels = (part[:80] for part in rows)
    names = [f"name of {number}" for number in range(10)]
    distances = pairwise_distances(coordinates)
    values = silhouette(distances, make_data(features, coordinates, labels, names))
    assert set(values["by_class"]) == set(names)
    assert values["mean"] == pytest.approx(np.mean([values["by_class"][names[label]] for label in labels]))
    assert values["mean"] == pytest.approx(silhouette_score(coordinates, labels), abs=1e-6)


def test_class_without_rows_in_the_sample_has_no_silhouette(rows):
    features, coordinates, labels = (part[rows[2] < 2][:40] for part in rows)
    values = silhouette(pairwise_distances(coordinates), make_data(features, coordinates, labels, ["a", "b", "c"]))
    assert set(values["by_class"]) == {"a", "b"}


def test_silhouette_needs_two_classes_and_one_of_two_rows(rows):
    features, coordinates, _ = (part[:3] for part in rows)
    distances = pairwise_distances(coordinates)
    for labels, is_defined in (([0, 0, 0], False), ([0, 0, 1], True), ([0, 1, 2], False)):
        data = make_data(features, coordinates, np.array(labels), ["a", "b", "c"])
        assert (silhouette(distances, data)["mean"] is not None) == is_defined


def test_distances_are_those_of_the_sample(rows):
    features, coordinates, labels = (part[:50] for part in rows)
    data = make_data(features, coordinates, labels, [])
    sample = np.array([7, 3, 20])
    data = SplitData(**vars(data) | {"sample": sample})
    assert data.distances.shape == data.map_distances.shape == (3, 3)
    assert data.distances[0, 1] == pytest.approx(np.linalg.norm(features[7] - features[3]), rel=1e-5)
    assert data.map_distances[1, 2] == pytest.approx(np.linalg.norm(coordinates[3] - coordinates[20]), rel=1e-5)


def test_number_of_a_score_is_its_mean_if_there_is_more_to_it():
    assert as_number({"mean": 0.5, "by_class": {"a": 0.1}}) == 0.5
    assert as_number(0.25) == 0.25 and as_number(None) is None


def test_fewest_rows_have_thirty_neighbors_beside_themselves():
    assert MIN_ROWS == 31
