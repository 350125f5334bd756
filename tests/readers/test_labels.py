"""Labels from arrays and text files, and the numbers of the classes."""

import logging

import numpy as np
import pytest

from common.errors import UserError
from common.readers.labels import as_labels, number_labels
from common.readers.streams import Stream


@pytest.mark.parametrize(
    ("stored", "labels"),
    [
        (np.array([3, 0, 2], np.uint8), [3, 0, 2]),
        (np.array([[3], [0], [2]], ">i4"), [3, 0, 2]),
        (np.array([3.0, -1.0, 2.0], np.float32), [3, -1, 2]),
        (np.array([True, False, True]), [1, 0, 1]),
        (np.array([2.0**53, 0, 2]), [2**53, 0, 2]),
        (np.array(["b ", " a", "été"]), ["b", "a", "été"]),
        (np.array(["3.0", "0.", "-1.20e1"]), ["3", "0", "-12"]),
        (np.array(["3.0", "0", "2"]), ["3", "0", "2"]),
        (np.array(["3.5", "nan", "v2"]), ["3.5", "nan", "v2"]),
        (np.array(["1e5", "2e5", "01"]), ["1e5", "2e5", "01"]),
        (np.array([[b"b"], [b" a"], ["été".encode()]]), ["b", "a", "été"]),
    ],
)
def test_labels_of_an_array_are_integers_or_strings(stream_blocks, stored, labels):
    found = as_labels(stream_blocks(stored[:2], stored[2:]), 3)
    assert found.tolist() == labels and found.dtype.kind in "iU" and found.itemsize >= 4
    assert found.dtype == np.int64 or found.dtype.kind == "U"


def test_array_may_have_no_labels():
    assert as_labels(Stream("data", (0,), lambda: iter(())), 0).tolist() == []


@pytest.mark.parametrize(
    ("stored", "line"),
    [
        (
            np.zeros((3, 10)),
            "data has the shape 3 x 10, not one label for each row. If they are one-hot, give labels.argmax",
        ),
        (np.zeros((3, 2)), "data has the shape 3 x 2, not one label for each row."),
        (np.zeros((3, 0)), "data has the shape 3 x 0, not one label for each row."),
        (np.zeros((3, 1, 1)), "data has the shape 3 x 1 x 1, not one label for each row. Give an array of one axis."),
        (np.array([0, 0.5, 1]), "data has labels that are not whole numbers, the first at index 1: 0.5. Give class"),
        (np.array([0, 1, np.nan]), "data has labels that are not whole numbers, the first at index 2: nan."),
        (np.array([0, np.inf, 1]), "data has labels that are not whole numbers, the first at index 1: inf."),
        (np.array([0, 1e300, 1]), "data has labels that are not whole numbers, the first at index 1: 1e+300."),
        (np.array([0, 2**64 - 1, 1], np.uint64), "data has labels that are not whole numbers, the first at index 1"),
        (
            np.array(["1.0", "0.5", "2.0"]),
            "data, index 1: 0.5 is not a whole number. Give class numbers, or names with a",
        ),
        (np.array(["1.0", "nan", "2.0"]), "data, index 1: nan is not a whole number."),
        (np.array(["1.0", "1" * 17 + ".0", "2.0"]), "data, index 1: 11111111111111111.0 is not a whole number."),
        (np.array(["a", "b", " "]), "data, index 2 is empty. Give each row a label."),
        (np.array([b"a", b"\xe9", b"c"]), "data holds bytes that are not UTF-8. Give strings."),
        (np.zeros(3, complex), "data holds complex128. Labels must be whole numbers or strings."),
        (np.zeros(2, int), "data has 2 labels for 3 rows. Add the 1 missing label."),
        (np.zeros(5, int), "data has 5 labels for 3 rows. Remove the 2 extra labels."),
    ],
)
def test_arrays_that_are_not_labels_are_refused(stream_blocks, stored, line):
    with pytest.raises(UserError) as raised:
        as_labels(stream_blocks(stored), 3)
    assert f"{raised.value}".startswith(line)


def test_number_of_labels_is_limited_before_they_are_read():
    assert len(as_labels(Stream("data", (2**31,), lambda: iter(())), 0)) == 0
    with pytest.raises(UserError, match="data has the shape 2,147,483,649, not one label for each row"):
        as_labels(Stream("data", (2**31 + 1,), lambda: pytest.fail("read")), 0)


@pytest.mark.parametrize(
    ("labels", "names", "numbers"),
    [
        (["b", "a", "b"], ["a", "b"], [1, 0, 1]),
        ([10, 9, -1], ["-1", "9", "10"], [2, 1, 0]),
        (["10", "9", "-1"], ["-1", "9", "10"], [2, 1, 0]),
        (["10", "09", "9"], ["09", "10", "9"], [1, 0, 2]),
        (["10", "-0", "9"], ["-0", "10", "9"], [1, 0, 2]),
        (["9" * 18, "10"], ["10", "9" * 18], [1, 0]),
        (["9" * 19, "10"], ["10", "9" * 19], [1, 0]),
        (["1", ""], ["", "1"], [1, 0]),
    ],
)
def test_names_are_sorted_and_integers_by_value(labels, names, numbers):
    numbered, found = number_labels({"train": np.array(labels)}, None)
    assert found == names and numbered["train"].tolist() == numbers and numbered["train"].dtype == np.int64


def test_classes_are_those_of_all_splits():
    labels, names = number_labels({"train": np.array(["b", "a"]), "test": np.array(["c"])}, None)
    assert names == ["a", "b", "c"] and labels["train"].tolist() == [1, 0] and labels["test"].tolist() == [2]
    labels, names = number_labels({"train": np.array(["10", "9"]), "test": np.array([9])}, None)
    assert names == ["9", "10"] and labels["train"].tolist() == [1, 0] and labels["test"].tolist() == [0]


def test_given_names_belong_to_the_numbers():
    labels, names = number_labels({"train": np.array([0, 2])}, ["x", "y", "z"])
    assert names == ["x", "y", "z"] and labels["train"].tolist() == [0, 2]


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ([1, 2, 3], "1 is x, 2 is y and 3 is z"),
        ([3, 5, 10], "3 is x, 5 is y and 10 is z"),
        (["1", "2", "10"], "1 is x, 2 is y and 10 is z"),
        ([-1, 2, 3], "-1 is x, 2 is y and 3 is z"),
    ],
)
def test_as_many_names_as_labels_without_0_belong_to_them_in_order(values, line, caplog):
    caplog.set_level(logging.INFO, "workflow")
    labels = {"train": np.array(values * 2), "test": np.array(values[:0:-1] * 2)}
    numbered, names = number_labels(labels, ["x", "y", "z"])
    assert names == ["x", "y", "z"]
    assert numbered["train"].tolist() == [0, 1, 2] * 2 and numbered["test"].tolist() == [2, 1] * 2
    assert caplog.messages == [f"classes has as many names as there are labels, in their order: {line}"]


def test_numbers_of_rows_are_logged_and_shown_if_a_class_has_a_single_one(caplog):
    caplog.set_level(logging.DEBUG, "workflow")
    number_labels({"train": np.array(["a", "b"] * 1000), "test": np.array(["a"])}, None)
    assert [(record.levelname, record.message) for record in caplog.records] == [
        ("DEBUG", "rows of each class, train: a 1,000, b 1,000"),
        ("DEBUG", "rows of each class, test: a 1, b 0"),
    ]
    caplog.clear()
    number_labels({"train": np.array(["a", "rare", "a", "nan", "nan"])}, None)
    assert [(record.levelname, record.message) for record in caplog.records] == [
        ("INFO", "rows of each class, train: a 2, nan 2, rare 1"),
        ("INFO", "1 class with a single row: rare"),
        ("INFO", "1 class named like a missing value: nan"),
    ]
    caplog.clear()
    number_labels({"train": np.array([1, 1, 2, 2])}, ["x", "y", "z", "w"])
    assert caplog.messages[1:] == ["2 classes without rows: x and w"]


def test_of_many_classes_those_with_a_single_row_are_shown(caplog):
    caplog.set_level(logging.INFO, "workflow")
    number_labels({"train": np.array([f"c{number:02}" for number in range(40)])}, None)
    listed = ", ".join(f"c{number:02}" for number in range(10))
    assert caplog.messages == [f"40 classes with a single row: {listed} and 30 others"]


def test_1000_classes_are_accepted():
    assert len(number_labels({"train": np.arange(1000)}, None)[1]) == 1000


ABC = ["a", "b", "c"]


@pytest.mark.parametrize(
    ("labels", "names", "line"),
    [
        ({"train": np.arange(1001)}, None, "The labels have 1001 values, more than 1000. Give class labels."),
        (
            {"train": np.array([0, 3, -1])},
            ABC,
            "classes gives 3 names, but 2 of the train labels are not from 0 to 2. Give",
        ),
        ({"train": np.array([0]), "test": np.array([3, 0])}, ABC, "classes gives 3 names, but 1 of the test labels"),
        ({"train": np.array(["a"])}, ABC, "classes gives 3 names, but the labels are names already. Remove classes."),
        (
            {"train": np.array([1]), "test": np.array(["a"])},
            ABC,
            "The labels of one split are numbers, those of another",
        ),
    ],
)
def test_too_many_classes_and_names_that_do_not_fit_are_refused(labels, names, line):
    with pytest.raises(UserError) as raised:
        number_labels(labels, names)
    assert f"{raised.value}".startswith(line)
