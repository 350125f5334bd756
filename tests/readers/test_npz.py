"""Arrays in .npz files, by the names of Keras and of MedMNIST."""

import logging

import numpy as np
import pytest

from common.errors import UserError
from common.readers import read_dataset

IMAGES = np.random.default_rng(0).integers(0, 256, (40, 4, 4), np.uint8)
LABELS = np.arange(40) % 4
PARTS = {"train": slice(20), "validation": slice(20, 30), "test": slice(30, 40)}


@pytest.fixture
def read(tmp_path):
    """A function that writes arrays by name as a .npz file and reads it: read(x_train=..., y_train=...)."""

    def read(**arrays):
        np.savez(tmp_path / "a.npz", **arrays)
        return read_dataset("npz", {"path": str(tmp_path / "a.npz")}, None)

    return read


@pytest.mark.parametrize(
    ("images", "labels", "validation"),
    [
        ("x_{}", "y_{}", "val"),
        ("X_{}", "y_{}", "valid"),
        ("x_{}", "y_{}", "validation"),
        ("{}_images", "{}_labels", "val"),
    ],
)
def test_three_splits_are_read_by_their_names(read, images, labels, validation):
    arrays = {}
    for split, rows in PARTS.items():
        name = validation if split == "validation" else split
        arrays |= {images.format(name): IMAGES[rows], labels.format(name): LABELS[rows, None].astype(np.uint8)}
    splits = read(**arrays)
    assert list(splits) == ["train", "validation", "test"]
    for split, rows in PARTS.items():
        assert np.array_equal(np.concatenate(list(splits[split].images.blocks()))[..., 0] * 256, IMAGES[rows])
        assert splits[split].labels.tolist() == LABELS[rows].tolist()


def test_big_endian_arrays_are_read(read):
    splits = read(x_train=IMAGES.astype(">u2"), y_train=LABELS.astype(">i8"))
    assert np.array_equal(next(splits["train"].images.blocks())[..., 0] * 256, IMAGES)
    assert splits["train"].labels.tolist() == LABELS.tolist()


@pytest.mark.parametrize(
    ("arrays", "line"),
    [
        ({"images": IMAGES, "x_train": IMAGES}, "It has images, x_train."),
        ({"arr_0": IMAGES, "arr_1": LABELS}, "It has arr_0, arr_1. Give these names: numpy.savez(file, x_train=images"),
        ({"x_test": IMAGES, "y_test": LABELS}, "has neither x_train with y_train nor train_images with train_labels."),
        ({"x_train": IMAGES, "train_labels": LABELS}, "has neither x_train with y_train nor"),
        (
            {"x_train": np.asfortranarray(IMAGES), "y_train": LABELS},
            "a.npz is in Fortran order. Save it again as numpy.ascontiguousarray(array).",
        ),
        (
            {"x_train": IMAGES, "y_train": LABELS.astype(str).astype(object)},
            "y_train in {path} holds Python objects. Save it again: labels as array.astype(str), numbers as",
        ),
    ],
)
def test_arrays_that_cannot_be_read_are_refused_with_the_remedy(read, tmp_path, arrays, line):
    with pytest.raises(UserError) as raised:
        read(**arrays)
    assert line.format(path=tmp_path / "a.npz") in f"{raised.value}" and "\n" not in f"{raised.value}"


@pytest.mark.parametrize("name", ["x_test", "y_test", "other"])
def test_array_that_is_not_used_is_named(read, caplog, name):
    caplog.set_level(logging.INFO, "workflow")
    assert list(read(**{"x_train": IMAGES, "y_train": LABELS, name: IMAGES})) == ["train"]
    assert caplog.messages == [f"{caplog.messages[0].split(':')[0]}: not used: {name}"]


def test_file_that_is_no_npz_file_is_described(tmp_path):
    np.save(tmp_path / "a.npz.npy", IMAGES)
    path = (tmp_path / "a.npz.npy").rename(tmp_path / "a.npz")
    with pytest.raises(UserError, match=r"a\.npz is no \.npz file; it is a \.npy file\. Write one: numpy\.savez"):
        read_dataset("npz", {"path": str(path)}, None)
