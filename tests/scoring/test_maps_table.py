"""The table of the coordinates of all images."""

import numpy as np
import pandas as pd
import pytest
from tabulate_maps import tabulate_maps

from common.names import SPLITS

NAMES = ["zero", "01", "nan", "a, b"]
LABELS = {"train": np.array([2, 1]), "validation": np.array([0]), "test": np.array([3])}
COORDINATES = {
    "train": {"pixel": np.array([[1, 2], [3, 4]]), "dense": np.array([[5, 6], [7, 8]])},
    "validation": {"pixel": np.array([[11, 12]]), "dense": np.array([[13, 14]])},
    "test": {"pixel": np.array([[-1, -2]]), "dense": np.array([[-3, -4]])},
}
VOTES = {
    "train": {"pixel": np.array([2, 2]), "dense": np.array([2, 1])},
    "validation": {"pixel": np.array([0]), "dense": np.array([1])},
    "test": {"pixel": np.array([1]), "dense": np.array([3])},
}


@pytest.fixture
def predictions() -> dict[str, pd.DataFrame]:
    return {
        "train": pd.DataFrame({"prediction": [2.0, 0.0], "confidence": [0.9, 0.8]}),
        "validation": pd.DataFrame({"prediction": [1.0], "confidence": [0.6]}, index=[2]),  # as a part of a table
        "test": pd.DataFrame({"prediction": [3.0], "confidence": [0.7]}, index=[3]),
    }


def test_row_has_the_number_split_names_coordinates_and_votes_of_an_image(predictions):
    table = tabulate_maps(LABELS, COORDINATES, VOTES, predictions, NAMES)
    assert table.index.tolist() == [0, 1, 2, 3]
    expected = {
        "id": [0, 1, 0, 0],
        "split": ["train", "train", "validation", "test"],
        "label": ["nan", "01", "zero", "a, b"],
        "prediction": ["nan", "zero", "01", "a, b"],
        "confidence": [0.9, 0.8, 0.6, 0.7],
        "prediction_depth": ["pixel", "network", "dense", "dense"],
        "pixel_x": [1, 3, 11, -1],
        "pixel_y": [2, 4, 12, -2],
        "pixel_knn": ["nan", "nan", "zero", "01"],
        "dense_x": [5, 7, 13, -3],
        "dense_y": [6, 8, 14, -4],
        "dense_knn": ["nan", "01", "01", "a, b"],
    }
    assert table.to_dict("list") == expected and table.columns.tolist() == list(expected)


def test_without_predictions_their_columns_are_missing():
    columns = tabulate_maps(LABELS, COORDINATES, VOTES, None, NAMES).columns
    expected = ["id", "split", "label", "pixel_x", "pixel_y", "pixel_knn", "dense_x", "dense_y", "dense_knn"]
    assert columns.tolist() == expected


def test_predictions_without_probabilities_have_no_confidence(predictions):
    labels_only = {split: table.assign(confidence=np.nan) for split, table in predictions.items()}
    table = tabulate_maps(LABELS, COORDINATES, VOTES, labels_only, NAMES)
    expected = tabulate_maps(LABELS, COORDINATES, VOTES, predictions, NAMES).drop(columns="confidence")
    pd.testing.assert_frame_equal(table, expected)


def test_without_classes_there_are_no_labels_and_no_votes():
    votes = {split: {"pixel": None, "dense": None} for split in SPLITS}
    columns = tabulate_maps(LABELS, COORDINATES, votes, None, []).columns
    assert columns.tolist() == ["id", "split", "pixel_x", "pixel_y", "dense_x", "dense_y"]


@pytest.mark.parametrize("column", ["file", "name"])
def test_names_of_the_rows_stand_before_the_label(column):
    names = (column, [["a/2.png", "nan"], ["a/1.png"], ["b/1.png"]])
    table = tabulate_maps(LABELS, COORDINATES, VOTES, None, NAMES, names)
    assert table[column].tolist() == ["a/2.png", "nan", "a/1.png", "b/1.png"]
    assert table.columns.tolist()[:4] == ["id", "split", column, "label"]


@pytest.mark.parametrize("empty", [("validation",), ("validation", "test")])
def test_split_without_images_has_no_rows(empty):
    labels = LABELS | {split: LABELS[split][:0] for split in empty}
    none = {split: {layer: points[:0] for layer, points in COORDINATES[split].items()} for split in empty}
    votes = VOTES | {split: {"pixel": None, "dense": None} for split in empty}
    table = tabulate_maps(labels, COORDINATES | none, votes, None, NAMES)
    rest = [split for split in ("train", "train", "validation", "test") if split not in empty]
    assert table.split.tolist() == rest and table.label.tolist()[:2] == ["nan", "01"]
    assert table.pixel_x.dtype == int and table.dense_knn.notna().all()
