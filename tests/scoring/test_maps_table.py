"""The table of the coordinates of all images."""

import numpy as np
import pandas as pd
import pytest
from tabulate_maps import tabulate_maps

NAMES = ["zero", "01", "nan", "a, b"]
LABELS = {"train": np.array([2, 1]), "test": np.array([3])}
COORDINATES = {
    "train": {"pixel": np.array([[1, 2], [3, 4]]), "dense": np.array([[5, 6], [7, 8]])},
    "test": {"pixel": np.array([[-1, -2]]), "dense": np.array([[-3, -4]])},
}


@pytest.fixture
def predictions() -> dict[str, pd.DataFrame]:
    return {
        "train": pd.DataFrame({"prediction": [2.0, 0.0], "confidence": [0.9, 0.8]}),
        "test": pd.DataFrame({"prediction": [3.0], "confidence": [0.7]}, index=[2]),  # as a part of a table has it
    }


def test_row_has_the_number_split_names_and_coordinates_of_an_image(predictions):
    table = tabulate_maps(LABELS, COORDINATES, predictions, NAMES)
    assert table.index.tolist() == [0, 1, 2]
    assert table.to_dict("list") == {
        "id": [0, 1, 0],
        "split": ["train", "train", "test"],
        "label": ["nan", "01", "a, b"],
        "prediction": ["nan", "zero", "a, b"],
        "confidence": [0.9, 0.8, 0.7],
        "pixel_x": [1, 3, -1],
        "pixel_y": [2, 4, -2],
        "dense_x": [5, 7, -3],
        "dense_y": [6, 8, -4],
    }


def test_without_predictions_their_columns_are_missing():
    columns = tabulate_maps(LABELS, COORDINATES, None, NAMES).columns
    assert columns.tolist() == ["id", "split", "label", "pixel_x", "pixel_y", "dense_x", "dense_y"]


def test_without_classes_there_is_no_label():
    assert "label" not in tabulate_maps(LABELS, COORDINATES, None, [])


def test_split_without_images_has_no_rows():
    labels = LABELS | {"test": LABELS["test"][:0]}
    coordinates = COORDINATES | {"test": {layer: points[:0] for layer, points in COORDINATES["test"].items()}}
    table = tabulate_maps(labels, coordinates, None, NAMES)
    assert table.split.tolist() == ["train", "train"] and table.label.tolist() == ["nan", "01"]
