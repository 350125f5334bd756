"""The images that the network misclassifies."""

import numpy as np
import pandas as pd

from common.figures.errors import find_errors
from common.tables import load_predictions

TABLE = """split,id,label,prediction,confidence
train,0,1,1,0.9
train,1,0,2,0.5
validation,2,2,2,0.7
test,3,2,1,0.8
test,4,1,2,0.6
"""
COUNTS = {"train": 2, "validation": 1, "test": 2}


def test_errors_are_the_rows_of_each_split_with_a_wrong_prediction(tmp_path):
    path = tmp_path / "predictions.csv"
    path.write_text(TABLE)
    found = find_errors(load_predictions(path, **COUNTS))
    assert {split: rows.tolist() for split, rows in found.items()} == {
        "train": [False, True],
        "validation": [False],
        "test": [True, True],
    }


def test_images_that_the_network_does_not_classify_are_no_errors():
    unknown = pd.DataFrame({"label": [0, 1, 2], "prediction": [np.nan, np.nan, 0]})
    assert find_errors({"test": unknown})["test"].tolist() == [False, False, True]


def test_split_without_images_has_no_errors():
    (found,) = find_errors({"validation": pd.DataFrame({"label": [], "prediction": []})}).values()
    assert found.shape == (0,) and found.dtype == bool
