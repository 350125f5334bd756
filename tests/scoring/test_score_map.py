"""The scores of a layer by split: neighbors, landmarks, the sample, and what is not known."""

import logging

import numpy as np
import pytest
from score_map import score_map

from common.scoring.parameters import MAX_CORRELATED, MAX_SAMPLE, MIN_ROWS, N_VOTERS
from common.scoring.scores import SCORES
from helpers import ROOT


def test_rows_and_sample_of_each_split_are_counted(scores, digits):
    for split, rows in digits.items():
        assert scores[split]["rows"] == scores[split]["sample"] == len(rows["labels"])


def test_embedding_in_two_dimensions_loses_neighbors(scores):
    for values in scores.values():
        assert values["knn_accuracy_map"] < values["knn_accuracy_features"]
        assert values["knn_preservation_10"] < 0.5


def test_test_image_at_the_place_of_a_training_image_has_it_as_neighbor(digits, nearest):
    train = digits["train"]
    copies = train | {"neighbors": nearest(train["features"], train["features"], 30)}
    labels = np.arange(len(train["labels"])) // 10  # in groups of ten, so that the image itself counts
    by_split = score_map(
        train | {"labels": labels}, copies | {"labels": labels}, list(map(str, labels)), np.arange(len(labels))
    )
    assert by_split["test"]["knn_accuracy_map"] > by_split["train"]["knn_accuracy_map"]
    found = nearest(train["coordinates"], train["coordinates"], 30)
    shared = [len(set(a) & set(b)) / 30 for a, b in zip(found, copies["neighbors"], strict=True)]
    assert by_split["test"]["knn_preservation_30"] == pytest.approx(np.mean(shared))


def test_with_landmarks_neighbors_and_voters_are_landmarks(rows, classes, nearest):
    """Rows between the landmarks are scored as well, and a landmark is not its own neighbor."""
    features, coordinates, labels = rows
    landmarks = np.arange(0, len(labels), 3)

    def search(points: np.ndarray) -> np.ndarray:
        distances = np.linalg.norm(points[:, None].astype(np.float64) - points[landmarks], axis=2)
        distances[landmarks, np.arange(len(landmarks))] = np.inf
        return landmarks[distances.argsort(axis=1)[:, :30]]

    neighbors, map_neighbors = search(features), search(coordinates)
    train = {"features": features, "neighbors": neighbors, "coordinates": coordinates, "labels": labels}
    none = {name: values[:0] for name, values in train.items()}
    scores = score_map(train, none, classes, landmarks)["train"]
    assert scores["rows"] == len(labels)
    for k in (10, 30):
        shared = [len(set(a[:k]) & set(b[:k])) / k for a, b in zip(map_neighbors, neighbors, strict=True)]
        assert scores[f"knn_preservation_{k}"] == pytest.approx(np.mean(shared))
    for space, indices in (("features", neighbors), ("map", map_neighbors)):
        votes = [np.bincount(labels[row[:10]]).argmax() for row in indices]
        assert scores[f"knn_accuracy_{space}"] == pytest.approx(np.mean(votes == labels))


def test_without_labels_and_test_images_unknown_scores_are_none(digits):
    train = digits["train"]
    none = {name: values[:0] for name, values in digits["test"].items()}
    scores = score_map(train, none, [], np.arange(len(train["labels"])))
    assert scores["train"]["knn_accuracy_features"] is scores["train"]["knn_accuracy_map"] is None
    assert scores["train"]["silhouette_map"] == {"mean": None, "by_class": None}
    assert 0 < scores["train"]["knn_preservation_10"] < 1 and scores["train"]["trustworthiness"] > 0.5
    assert scores["test"] == {"rows": 0} | {key: None for key in SCORES if key != "network_accuracy"}


def sort_by_class(rows) -> tuple[np.ndarray, ...]:
    """Return rows in the order of their labels, as some files have them."""
    order = np.argsort(rows[2], kind="stable")
    return tuple(part[order] for part in rows)


def test_sample_is_random_so_that_it_has_all_classes(rows, split_rows, classes, monkeypatch):
    monkeypatch.setattr("score_map.MAX_SAMPLE", 80)
    splits = split_rows(*sort_by_class(rows), len(rows[2]) - 1)
    scores = score_map(**splits, classes=classes, landmarks=np.arange(len(rows[2]) - 1))["train"]
    assert scores["sample"] == 80 and list(scores["silhouette_map"]["by_class"]) == classes


def test_distances_of_a_part_of_the_sample_are_correlated(rows, split_rows, classes, monkeypatch):
    splits = split_rows(*sort_by_class(rows), len(rows[2]) - 1)
    correlations = {}
    for count in (30, 120, len(rows[2])):
        monkeypatch.setattr("common.scoring.scores.MAX_CORRELATED", count)
        scores = score_map(**splits, classes=classes, landmarks=np.arange(len(rows[2]) - 1))["train"]
        correlations[count] = scores["distance_correlation"]
    assert correlations[120] == pytest.approx(correlations[len(rows[2])], abs=0.05)
    assert len(set(correlations.values())) == 3


def test_sample_takes_only_as_much_memory_as_it_may(digits, classes, monkeypatch):
    monkeypatch.setattr("score_map.SAMPLE_MB", 70 * 64 * 4 / 1e6)  # 70 rows of 64 numbers
    scores = score_map(**digits, classes=classes, landmarks=np.arange(len(digits["train"]["labels"])))
    assert (scores["train"]["sample"], scores["test"]["sample"]) == (70, 70)
    assert scores["train"]["rows"] == len(digits["train"]["labels"])


def test_fewest_rows_can_be_scored_and_fewer_cannot(rows, split_rows, classes):
    for count in (MIN_ROWS, MIN_ROWS - 1):
        splits = split_rows(*(part[: count + 5] for part in rows), count)
        if count < MIN_ROWS:
            with pytest.raises(ValueError, match="n_neighbors"):
                score_map(**splits, classes=classes, landmarks=np.arange(count))
        else:
            assert score_map(**splits, classes=classes, landmarks=np.arange(count))["test"]["rows"] == 5


def test_log_has_the_scores_that_are_known(digits, classes, caplog):
    caplog.set_level(logging.INFO, "workflow")
    landmarks = np.arange(len(digits["train"]["labels"]))
    scores = score_map(**digits, classes=classes, landmarks=landmarks)["test"]
    messages = [record.getMessage() for record in caplog.records]
    assert f"test: {scores['knn_preservation_10']:.4f} of the 10 nearest neighbors are preserved" in messages
    features, embedding = scores["knn_accuracy_features"], scores["knn_accuracy_map"]
    assert f"test: kNN accuracy in the features {features:.4f}, in the map {embedding:.4f}" in messages
    caplog.clear()
    score_map(**digits, classes=[], landmarks=landmarks)
    assert [record.getMessage().split(":")[0] for record in caplog.records] == ["train", "test"]


def test_texts_have_the_numbers_of_rows_that_are_used():
    from score_map import SAMPLE_MB

    text = (ROOT / "docs/scores.md").read_text()
    assert f"computed on {MAX_SAMPLE:,} random images of a split" in text
    assert f"more than {SAMPLE_MB:,} MB" in text
    assert f"rank correlation of distances uses {MAX_CORRELATED:,} of them" in text
    assert f"continuity (both with {N_VOTERS} neighbors)" in text
    caption = (ROOT / "report/scores.rst").read_text()
    assert f"use {MAX_SAMPLE:,} random images of a split, the rank correlation {MAX_CORRELATED:,}." in caption
