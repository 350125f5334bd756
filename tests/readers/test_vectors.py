"""Vectors as the features of a layer, and the images of their rows."""

import gzip
import re

import numpy as np
import pytest
from skimage.io import imsave

from common.errors import UserError
from common.readers.idx import write_idx
from common.readers.row_images import stream_image_files
from common.readers.streams import Stream, stream_npy, write_rows
from common.readers.vectors import as_features, check_columns, count_rows, write_splits

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


def shape_only(name, *shape):
    return Stream(name, shape, None)


def test_files_of_all_layers_must_have_the_same_rows():
    streams = [shape_only("a.npy", 50, 3), shape_only("b.npy", 50, 2), shape_only("c.npy", 49, 2)]
    assert count_rows(streams[:1]) == count_rows(streams[:2]) == 50
    with pytest.raises(UserError, match=r"^a\.npy has 50 rows, c\.npy has 49\. Give the same rows in all files\.$"):
        count_rows(streams)


def test_layer_must_have_the_same_columns_in_all_splits():
    layers = [shape_only("a.npy", 50, 3), shape_only("b.npy", 50, 2)]
    check_columns(layers, [shape_only("ta.npy", 9, 3), shape_only("tb.npy", 9, 2)], "Stop.")
    with pytest.raises(UserError, match=r"^b\.npy has 2 columns, tb\.npy has 3\. Stop\.$"):
        check_columns(layers, [shape_only("ta.npy", 9, 3), shape_only("tb.npy", 9, 3)], "Stop.")


def test_split_that_is_not_given_has_no_rows(tmp_path, stream_blocks):
    streams = {"train": stream_blocks(ANY[:20].astype("f4"), ANY[20:].astype("f4")), "test": stream_blocks(ANY[:5])}
    paths = [tmp_path / f"{number}.npy" for number in range(3)]
    write_splits(streams, np.array([3, 30]), paths)
    train, validation, test = map(np.load, paths)
    assert np.array_equal(train, ANY[[3, 30]].astype(np.float32)) and np.array_equal(test, ANY[:5].astype(np.float32))
    assert validation.shape == (0, 7) and validation.dtype == np.float32


BYTES = np.random.default_rng(0).integers(0, 256, (12, 5, 4), np.uint8)


def write_folder(path, images):
    """Write images to two class folders, of which the first has half of the images."""
    for number, image in enumerate(images):
        file = path / "ab"[number >= 6] / f"{number:02}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        imsave(file, image, check_contrast=False)


WRITERS = {
    "images.npy": lambda path: np.save(path, BYTES),
    "images.npz": lambda path: np.savez(path, anything=BYTES),
    "images-idx3-ubyte": lambda path: path.write_bytes(write_idx(BYTES)),
    "images-idx3-ubyte.gz": lambda path: path.write_bytes(gzip.compress(write_idx(BYTES))),
    "folder": lambda path: write_folder(path, BYTES),
}


@pytest.mark.parametrize("name", WRITERS)
def test_images_of_any_kind_are_one_for_each_row(tmp_path, name):
    WRITERS[name](tmp_path / name)
    stream = stream_image_files(str(tmp_path / name), {})
    assert stream.shape == (12, 5, 4, 1)
    assert np.array_equal(np.concatenate(list(stream.blocks()))[..., 0], BYTES / np.float32(256))


def test_images_of_a_folder_are_resized(tmp_path):
    write_folder(tmp_path / "folder", BYTES)
    assert stream_image_files(str(tmp_path / "folder"), {"size": (3, 2)}).shape == (12, 3, 2, 1)


def test_files_that_are_no_images_of_rows_are_refused(tmp_path):
    np.savez(tmp_path / "two.npz", images=BYTES, labels=np.arange(12))
    np.save(tmp_path / "a.npy", BYTES)
    for split in ("train", "test"):
        write_folder(tmp_path / "splits" / split, BYTES)
    for name, size, line in (
        ("two.npz", None, "two.npz has 2 arrays (images, labels). Give a file with the images only."),
        ("a.npy", (3, 2), "a.npy is not a folder. Remove size, and change the images themselves."),
        ("images.pt", None, "images.pt is no file of images that is known. Give a .npy file, a .npz file with one"),
        ("splits", None, "splits has folders of several splits. Give the folder of one split."),
    ):
        with pytest.raises(UserError, match=re.escape(line)):
            stream_image_files(str(tmp_path / name), {"size": size})
