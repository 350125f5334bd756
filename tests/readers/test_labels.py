"""Labels from arrays and text files, and the numbers of the classes."""

import numpy as np
import pytest

from common.errors import UserError
from common.readers.labels import as_labels, number_labels, read_labels
from common.readers.streams import Stream


@pytest.mark.parametrize(
    ("stored", "labels"),
    [
        (np.array([3, 0, 2], np.uint8), [3, 0, 2]),
        (np.array([[3], [0], [2]], ">i4"), [3, 0, 2]),
        (np.array([3.0, -1.0, 2.0], np.float32), [3, -1, 2]),
        (np.array([True, False, True]), [1, 0, 1]),
        (np.array(["b ", " a", "été"]), ["b", "a", "été"]),
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
        (np.zeros((3, 10)), "data has the shape 3 x 10, not one label a row. Give the argmax of one-hot labels."),
        (np.zeros((3, 2)), "data has the shape 3 x 2, not one label a row."),
        (np.zeros((3, 0)), "data has the shape 3 x 0, not one label a row."),
        (np.zeros((3, 1, 1)), "data has the shape 3 x 1 x 1, not one label a row. Give an array of one axis."),
        (np.array([0, 0.5, 1]), "data has labels that are not whole numbers. Give class numbers or names."),
        (np.array([0, np.nan, 1]), "data has labels that are not whole numbers."),
        (np.zeros(3, complex), "data holds complex128. Labels must be whole numbers or strings."),
        (np.zeros(2, int), "data has 2 labels for 3 rows. Add the missing ones (1)."),
        (np.zeros(5, int), "data has 5 labels for 3 rows. Remove the extra ones (2)."),
    ],
)
def test_arrays_that_are_not_labels_are_refused(stream_blocks, stored, line):
    with pytest.raises(UserError) as raised:
        as_labels(stream_blocks(stored), 3)
    assert f"{raised.value}".startswith(line)


def test_number_of_labels_is_limited_before_they_are_read():
    assert len(as_labels(Stream("data", (2**31,), lambda: iter(())), 0)) == 0
    with pytest.raises(UserError, match="data has the shape 2,147,483,649, not one label a row"):
        as_labels(Stream("data", (2**31 + 1,), lambda: pytest.fail("read")), 0)


@pytest.mark.parametrize(
    ("name", "text", "labels"),
    [
        ("labels.txt", "b\n a, c \n01\n", ["b", "a, c", "01"]),
        ("labels.txt", "name\nb\na\nc", ["b", "a", "c"]),
        ("labels.txt", "b\n\nc\n", ["b", "", "c"]),
        ("labels.csv", 'name\r\n"a, b"\r\n01\r\nnan\r\n', ["a, b", "01", "nan"]),
        ("labels.csv", "b\n\n été \n", ["b", "", "été"]),
        ("labels.csv", '"a\nb"\nb\nc\n', ["a\nb", "b", "c"]),
    ],
)
def test_labels_of_text_are_strings_without_a_header(tmp_path, name, text, labels):
    (tmp_path / name).write_text(text, newline="", encoding="utf-8")
    assert read_labels(str(tmp_path / name), 3).tolist() == labels


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("labels.csv", b"1,2\n3,4\n5,6\n", "{path} has several columns. Give a file with the labels only."),
        ("labels.csv", b"1\n2\n3\n4\n5\n", "{path} has 5 labels for 3 rows. Remove the extra ones (2)."),
        ("labels.txt", b"1\n2\n", "{path} has 2 labels for 3 rows. Add the missing ones (1)."),
        ("labels.txt", b"\xff\n1\n2\n", "{path} cannot be read (UnicodeDecodeError"),
    ],
)
def test_text_that_is_not_labels_is_refused(tmp_path, name, text, line):
    (tmp_path / name).write_bytes(text)
    with pytest.raises(UserError) as raised:
        read_labels(str(tmp_path / name), 3)
    assert f"{raised.value}".startswith(line.format(path=tmp_path / name))


def test_labels_of_a_missing_file_name_it(tmp_path):
    for name in ("labels.txt", "labels.npy"):
        with pytest.raises(UserError, match=f"{name} does not exist"):
            read_labels(str(tmp_path / name), 3)


def test_labels_in_a_npy_file_are_read(tmp_path):
    np.save(tmp_path / "labels.npy", np.array([3, 1, 2], np.uint8))
    assert read_labels(str(tmp_path / "labels.npy"), 3).tolist() == [3, 1, 2]


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
