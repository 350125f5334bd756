"""The scores of a layer by split: neighbors, landmarks, queries, outcomes, baselines, and what is not known."""

import logging

import numpy as np
import pytest
from score_map import average_by_class, find_map_neighbors, score_map

from common.names import SPLITS
from common.scoring.baselines import BASELINES, make_baselines
from common.scoring.parameters import MIN_ROWS
from common.scoring.scores import SCORES

COMPUTED = [key for key, score in SCORES.items() if score.compute]
OF_MAP = [key for key in COMPUTED if SCORES[key].space == "map"]


@pytest.fixture
def landmarks(digits) -> np.ndarray:
    """All training rows, as without landmarks."""
    return np.arange(len(digits["train"]["labels"]))


def test_rows_and_queries_of_each_split_are_counted(scores, digits):
    for split, rows in digits.items():
        assert scores[split]["rows"] == scores[split]["queries"] == len(rows["labels"])


def test_outcomes_have_the_scores_as_their_means(scores, outcomes, digits):
    for split in SPLITS:
        for key in COMPUTED:
            values = outcomes[f"{split}_{key}"]
            assert values.dtype == np.float32
            assert np.nanmean(values) == pytest.approx(scores[split][key], abs=1e-6)
            assert len(values) == (1 if key == "distance_correlation" else len(digits[split]["labels"]))
    assert set(outcomes) == {f"{split}_{key}" for split in SPLITS for key in (*COMPUTED, "vote")}


def test_outcomes_have_the_vote_of_the_neighbors(outcomes, digits, most_common):
    for split, rows in digits.items():
        votes = most_common(digits["train"]["labels"][rows["neighbors"][:, :10]])
        np.testing.assert_array_equal(outcomes[f"{split}_vote"], votes)
        np.testing.assert_array_equal(outcomes[f"{split}_knn_accuracy_features"], votes == rows["labels"])


def test_embedding_in_two_dimensions_loses_neighbors(scores):
    for split in SPLITS:
        assert scores[split]["knn_accuracy_map"] < scores[split]["knn_accuracy_features"]
        assert scores[split]["knn_preservation_10"] < 0.5


def test_neighbors_in_the_embedding_are_the_nearest_other_landmarks(rows, nearest):
    coordinates = {"train": rows[1][:200], "validation": rows[1][:0], "test": rows[1][200:240]}
    found = find_map_neighbors(coordinates, np.arange(200))
    np.testing.assert_array_equal(found["train"], nearest(rows[1][:200], rows[1][:200], 30, exclude_self=True))
    np.testing.assert_array_equal(found["test"], nearest(rows[1][200:240], rows[1][:200], 30))
    assert found["validation"].shape == (0, 30)


def test_with_landmarks_neighbors_in_the_embedding_are_landmarks(rows):
    """Rows between the landmarks have some as well, and a landmark is not its own neighbor."""
    landmarks = np.arange(0, 250, 3)
    points = rows[1]
    found = find_map_neighbors({"train": points[:250], "validation": points[250:300], "test": points[300:]}, landmarks)
    distances = np.linalg.norm(points[:, None].astype(np.float64) - points[landmarks], axis=2)
    distances[landmarks, np.arange(len(landmarks))] = np.inf
    expected = landmarks[distances.argsort(axis=1)[:, :30]]
    np.testing.assert_array_equal(np.concatenate(list(found.values())), expected)


def test_held_out_copy_of_a_training_image_has_it_as_neighbor(rows):
    points = rows[1][:100]
    found = find_map_neighbors({"train": points, "validation": points[:0], "test": points}, np.arange(100))
    np.testing.assert_array_equal(found["test"][:, 0], np.arange(100))
    np.testing.assert_array_equal(found["test"][:, 1:], found["train"][:, :29])


def test_scores_with_landmarks_are_those_of_all_images_by_votes_of_landmarks(rows, classes, nearest, most_common):
    features, coordinates, labels = rows
    landmarks = np.arange(0, len(labels), 3)
    searched = features.copy()
    searched[np.setdiff1d(np.arange(len(labels)), landmarks)] = 1e3
    neighbors = nearest(features, searched, 30, exclude_self=True)
    train = {"features": features, "neighbors": neighbors, "coordinates": coordinates, "labels": labels}
    none = {name: values[:0] for name, values in train.items()}
    splits = {"train": train, "validation": none, "test": none}
    scores = score_map(splits, classes, landmarks)[0]["train"]
    assert scores["rows"] == len(labels)
    map_neighbors = find_map_neighbors({"train": coordinates}, landmarks)["train"]
    for k in (10, 30):
        shared = [len(set(a[:k]) & set(b[:k])) / k for a, b in zip(map_neighbors, neighbors, strict=True)]
        assert scores[f"knn_preservation_{k}"] == pytest.approx(np.mean(shared))
    for space, indices in (("features", neighbors), ("map", map_neighbors)):
        votes = most_common(labels[indices[:, :10]])
        assert scores[f"knn_accuracy_{space}"] == pytest.approx(np.mean(votes == labels))


def test_baselines_have_the_scores_of_their_embeddings(digits, scores, classes, landmarks):
    coordinates = make_baselines({split: rows["features"] for split, rows in digits.items()}, seed=0)
    for name in BASELINES:
        splits = {split: rows | {"coordinates": coordinates[name][split]} for split, rows in digits.items()}
        expected = score_map(splits, classes, landmarks)[0]
        for split in SPLITS:
            assert scores[split][f"baseline_{name}"] == pytest.approx({key: expected[split][key] for key in OF_MAP})
    assert scores["test"]["baseline_random"]["knn_accuracy_map"] < 0.3 < scores["test"]["baseline_pca"]["continuity"]


def test_baselines_do_not_change_the_scores_of_the_embedding_and_can_be_left_out(digits, scored, classes, landmarks):
    scores, outcomes = score_map(digits, classes, landmarks)
    for split in SPLITS:
        expected = {key: value for key, value in scored[0][split].items() if not key.startswith("baseline_")}
        assert scores[split] == expected
    assert set(outcomes) == set(scored[1])
    for name, values in outcomes.items():
        np.testing.assert_array_equal(values, scored[1][name])


def test_silhouettes_are_averaged_by_class(scores, outcomes, digits, classes):
    for space in ("features", "map"):
        by_class = scores["test"]["silhouettes_by_class"][space]
        labels, values = digits["test"]["labels"], outcomes[f"test_silhouette_{space}"]
        expected = {name: values[labels == number].mean() for number, name in enumerate(classes)}
        assert by_class == pytest.approx(expected, abs=1e-6)


def test_class_without_images_has_no_average_and_one_without_known_values_none():
    values, labels = np.array([1, np.nan, np.nan, 3]), np.array([0, 0, 2, 0])
    assert average_by_class(values, labels, ["a", "b", "c"]) == {"a": 2, "c": None}


def test_without_labels_and_held_out_images_unknown_scores_are_none(digits, landmarks):
    none = {name: values[:0] for name, values in digits["test"].items()}
    splits = {"train": digits["train"], "validation": none, "test": none}
    scores, outcomes = score_map(splits, [], landmarks, with_baselines=True)
    for key in ("knn_accuracy_features", "knn_accuracy_map", "silhouette_features", "silhouette_map"):
        assert scores["train"][key] is None and f"train_{key}" not in outcomes
    assert "silhouettes_by_class" not in scores["train"] and "train_vote" not in outcomes
    assert scores["train"]["baseline_pca"]["knn_accuracy_map"] is None
    assert 0 < scores["train"]["knn_preservation_10"] < 1 and scores["train"]["trustworthiness"] > 0.5
    for split in ("validation", "test"):
        assert scores[split] == {"rows": 0, "queries": 0} | dict.fromkeys(COMPUTED)
        assert not [name for name in outcomes if name.startswith(split)]


def test_queries_are_random_so_that_they_have_all_classes(rows, split_rows, classes, monkeypatch):
    monkeypatch.setattr("score_map.N_QUERIES", 80)
    order = np.argsort(rows[2], kind="stable")  # as some files have them
    splits = split_rows(*(part[order] for part in rows), {"train": 399, "validation": 1, "test": 0})
    scores, outcomes = score_map(splits, classes, np.arange(399))
    assert scores["train"]["queries"] == 80 and list(scores["train"]["silhouettes_by_class"]["map"]) == classes
    assert None not in scores["train"]["silhouettes_by_class"]["map"].values()
    known = ~np.isnan(outcomes["train_trustworthiness"])
    assert known.sum() == 80 and len(known) == 399 and known[:100].any() and known[-100:].any()
    assert np.isfinite(outcomes["train_knn_preservation_10"]).all(), "other scores use all images"


def test_some_queries_have_the_scores_that_they_have_among_all(digits, outcomes, classes, landmarks, monkeypatch):
    monkeypatch.setattr("score_map.N_QUERIES", 20)
    _, some = score_map(digits, classes, landmarks)
    for name in ("train_trustworthiness", "test_continuity", "train_silhouette_map", "validation_silhouette_features"):
        known = ~np.isnan(some[name])
        assert known.sum() == 20
        np.testing.assert_allclose(some[name][known], outcomes[name][known], atol=1e-3)


def test_fewest_rows_can_be_scored_and_fewer_cannot(rows, split_rows, classes):
    for count in (MIN_ROWS, MIN_ROWS - 1):
        splits = split_rows(*rows, {"train": count, "validation": 2, "test": 5})
        if count < MIN_ROWS:
            with pytest.raises(IndexError, match=f"size {count}"):
                score_map(splits, classes, np.arange(count))
        else:
            assert score_map(splits, classes, np.arange(count))[0]["test"]["rows"] == 5


def test_log_has_the_accuracies_if_there_are_labels(digits, classes, landmarks, caplog):
    caplog.set_level(logging.INFO, "workflow")
    scores = score_map(digits, classes, landmarks)[0]["test"]
    messages = [record.getMessage() for record in caplog.records]
    features, embedding = scores["knn_accuracy_features"], scores["knn_accuracy_map"]
    assert f"test: kNN accuracy in the features {features:.4f}, in the map {embedding:.4f}" in messages
    assert [message.split(":")[0] for message in messages] == list(SPLITS)
    caplog.clear()
    score_map(digits, [], landmarks)
    assert not caplog.records
