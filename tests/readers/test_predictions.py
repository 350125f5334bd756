"""Predictions from files: labels or probabilities, .npy or text."""

import re

import numpy as np
import pytest

from common.errors import UserError
from common.readers.predictions import check_forms, find_values, read_predictions

NAMES = ["cat", "dog", "owl"]
PROBABILITIES = np.array([[0.7, 0.2, 0.1], [0.25, 0.25, 0.5], [0, 1, 0], [0.4, 0.5, 0.1]])


def write(path, content):
    """Write a text, or an array, and return the path as text."""
    path.write_text(content) if isinstance(content, str) else np.save(path, content)
    return str(path)


LINES = "\n".join(",".join(map(str, row)) for row in PROBABILITIES.tolist())


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.npy", PROBABILITIES),
        ("a.npy", PROBABILITIES.astype(np.float16)),
        ("a.csv", LINES),
        ("a.csv", f"cat,dog,owl\n{LINES}\n"),
        ("a.csv", f"0,1,2\n{LINES}\n"),
        ("a.txt", LINES.replace(",", " ")),
        ("a.tsv", LINES.replace(",", "\t")),
    ],
    ids=["float64", "float16", "csv", "header", "header of numbers", "spaces", "tabs"],
)
def test_prediction_is_the_most_probable_class(tmp_path, name, content):
    numbers, probabilities = read_predictions(write(tmp_path / name, content), 4, NAMES)
    assert numbers.tolist() == [0, 2, 1, 1] and numbers.dtype == np.int64
    assert np.allclose(probabilities, [0.7, 0.5, 1, 0.5], atol=1e-3) and probabilities.dtype == np.float64


@pytest.mark.parametrize(
    ("name", "content", "values"),
    [
        ("a.npy", np.array([0, 2, 1, 1]), ["0", "1", "2"]),
        ("a.txt", "0\n2\n1\n1\n", ["0", "1", "2"]),
        ("a.npy", np.array(["cat", "owl", "dog", "dog"]), NAMES),
        ("a.csv", "prediction\ncat\nowl\ndog\ndog\n", NAMES),
        ("a.npy", np.array([3, 20, 7, 7]), ["3", "7", "20"]),
        ("a.npy", np.array([[3.0], [20], [7], [7]]), ["3", "7", "20"]),
        ("a.txt", "3\n20\n7\n7\n", ["3", "7", "20"]),
        ("a.txt", "1 a\n1 c\n1 b\n1 b\n", ["1 a", "1 b", "1 c"]),
    ],
)
def test_labels_are_numbered_as_those_of_the_data_set(tmp_path, name, content, values):
    numbers, probabilities = read_predictions(write(tmp_path / name, content), 4, values)
    assert numbers.tolist() == [0, 2, 1, 1] and numbers.dtype == np.int64 and probabilities is None


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("a.npy", PROBABILITIES[:3], "a.npy has 3 predictions for 4 vectors. Add the 1 missing prediction."),
        ("a.csv", LINES[:-12], "a.csv has 3 predictions for 4 vectors. Add the 1 missing prediction."),
        ("a.npy", np.zeros(5, int), "a.npy has 5 labels for 4 vectors. Remove the 1 extra label."),
        (
            "a.npy",
            np.hstack([PROBABILITIES, np.zeros((4, 1))]),
            "a.npy has 4 columns, but the labels have 3 classes. Give a column for each class, or name all classes",
        ),
        (
            "a.npy",
            np.log(PROBABILITIES + 0.1),
            "4 of the 4 rows of {path} are not probabilities, which are 0 to 1 and sum to 1. Give the softmax",
        ),
        ("a.npy", np.where(PROBABILITIES == 1, np.nan, PROBABILITIES), "1 of the 4 rows of {path} are not prob"),
        ("a.npy", PROBABILITIES.astype(str), "a.npy holds <U32. Probabilities must be numbers."),
        (
            "a.npy",
            np.array(["cat", "cow", "pig", "cow"]),
            "{path}: 3 of the 4 predictions are no class of the labels (cow and pig). Give them in the form",
        ),
        ("a.npy", np.array([0, 1, 2, 1]), "{path}: 4 of the 4 predictions are no class of the labels (0, 1 and 2)."),
    ],
)
def test_predictions_that_do_not_fit_are_refused(tmp_path, name, content, line):
    path = write(tmp_path / name, content)
    with pytest.raises(UserError, match=re.escape(line.format(path=path))) as raised:
        read_predictions(path, 4, NAMES)
    assert "\n" not in f"{raised.value}"


def test_number_of_a_class_that_has_no_name_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"1 of the 4 predictions are no class of the labels \(3\)\."):
        read_predictions(write(tmp_path / "a.npy", np.array([0, 1, 2, 3])), 4, ["0", "1", "2"])


def test_labels_are_read_from_a_column_of_a_table(tmp_path):
    path = write(tmp_path / "a.csv", "id,guess\n1,cat\n2,owl\n3,dog\n4,dog\n")
    numbers, probabilities = read_predictions(path, 4, NAMES, "guess")
    assert numbers.tolist() == [0, 2, 1, 1] and probabilities is None


def test_label_of_each_class_is_that_of_its_rows_or_its_number_or_name():
    labels = {"train": np.array([3, 1, 3]), "test": np.array([7])}
    numbered = {"train": np.array([1, 0, 1]), "test": np.array([2])}
    assert find_values(labels, numbered, ["a", "b", "c"], True) == ["1", "3", "7"]
    labels["test"], numbered["test"] = labels["test"][:0], numbered["test"][:0]
    assert find_values(labels, numbered, ["a", "b", "c"], True) == ["1", "3", "2"]
    assert find_values(labels, numbered, ["1", "3", "7"], False) == ["1", "3", "7"]


def test_all_splits_must_have_the_same_form():
    numbers, probabilities = np.zeros(2, int), np.ones(2)
    check_forms({"train": (numbers, None), "test": (numbers, None)})
    check_forms({"train": (numbers, probabilities), "test": (numbers, probabilities)})
    with pytest.raises(UserError, match=r"are labels, those of another are probabilities\. Give all in the same form"):
        check_forms({"train": (numbers, None), "test": (numbers, probabilities)})
