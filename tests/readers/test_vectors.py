"""Vectors as the features of a layer, and their labels."""

import re

import numpy as np
import pytest
from prepare_labels import common_length
from prepare_vectors import as_features

from common.errors import UserError
from common.readers.streams import Stream, stream_npy, write_rows

ANY = np.random.default_rng(0).normal(size=(50, 7))


@pytest.mark.parametrize(
    "array",
    [ANY, np.asfortranarray(ANY), ANY.astype(">f4"), ANY.astype(np.float16), (ANY * 9).astype(np.int8), ANY > 0],
    ids=["float64", "columns first", "big-endian", "float16", "int8", "bool"],
)
def test_vectors_of_any_type_and_order_become_float32(tmp_path, array):
    np.save(tmp_path / "a.npy", array)
    write_rows(as_features(stream_npy(str(tmp_path / "a.npy"))), np.arange(0, 50, 2), tmp_path / "out.npy")
    written = np.load(tmp_path / "out.npy")
    assert written.dtype == np.float32 and np.array_equal(written, array[::2].astype(np.float32))


@pytest.mark.parametrize("shape", [(50,), (50, 2, 2), (50, 0), (0, 50)])
def test_vectors_of_another_shape_are_refused(shape):
    described = " x ".join(map(str, shape))
    with pytest.raises(UserError, match=f"data has the shape {described}. Give \\(n, d\\), one vector a row"):
        as_features(Stream("data", shape, None))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e300, 1e15])
def test_vectors_that_are_not_finite_or_too_long_are_counted_over_all_blocks(stream_blocks, value):
    vectors = np.zeros((50, 2))
    vectors[[1, 2, 40], 1] = value
    stream = as_features(stream_blocks(vectors[:30], vectors[30:]))
    line = (
        "3 of the 50 rows of data have values that are not finite, or are longer than 1e+14. "
        "Remove them, or divide all rows by one number."
    )
    with pytest.raises(UserError, match=re.escape(line)):
        list(stream.blocks())


@pytest.mark.parametrize(
    ("array", "line"),
    [
        (ANY[:, 0], "{path} has the shape 50. Give (n, d), one vector a row."),
        (np.where(ANY > 1, np.nan, 0), "of the 50 rows of {path} have values that are not finite"),
        (np.full((50, 2), 1e300), "50 of the 50 rows of {path} have values that are not finite"),
        (np.full((50, 2), "a"), "{path} holds <U1. Vectors must be real numbers."),
        (np.zeros((50, 2), complex), "{path} holds complex128. Vectors must be real numbers."),
        (np.full((50, 2), None), "{path} holds Python objects. Save it again: labels as array.astype(str), numbers as"),
    ],
)
def test_arrays_that_are_not_vectors_are_refused(tmp_path, array, line):
    path = tmp_path / "a.npy"
    np.save(path, array)
    with pytest.raises(UserError) as raised:
        write_rows(as_features(stream_npy(str(path))), np.arange(50), tmp_path / "out.npy")
    assert line.format(path=path) in f"{raised.value}" and "\n" not in f"{raised.value}"


def test_files_of_all_layers_must_have_the_same_rows():
    assert common_length({"a.npy": 50}) == common_length({"a.npy": 50, "b.npy": 50}) == 50
    with pytest.raises(UserError, match=r"^a\.npy has 50 rows, c\.npy has 49\. Give the same rows in all files\.$"):
        common_length({"a.npy": 50, "b.npy": 50, "c.npy": 49})
