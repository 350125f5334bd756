"""Arrays as images: their shapes, and their values from 0 to 1."""

import numpy as np
import pytest

from common.errors import UserError
from common.readers.images import as_images, image_shape, transpose_images
from common.readers.streams import Stream

ANY = np.random.default_rng(0).integers(0, 256, (7, 2, 5), np.uint8)


def load(stream: Stream) -> np.ndarray:
    return np.concatenate(list(stream.blocks()))


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((9, 4, 5), (4, 5, 1)),
        ((9, 4, 5, 1), (4, 5, 1)),
        ((9, 4, 5, 3), (4, 5, 3)),
        ((9, 3, 1), (3, 1, 1)),
        ((9, 3, 5, 3), (3, 5, 3)),
        ((9, 1, 5, 1), (1, 5, 1)),
        ((0, 4, 5), (4, 5, 1)),
    ],
)
def test_shapes_of_images(shape, expected):
    assert image_shape(Stream("data", shape, None)) == expected


@pytest.mark.parametrize(
    ("shape", "line"),
    [
        ((40, 16), "data has the shape 40 x 16: rows of 16 values are not images. Give them as vectors."),
        ((40, 3, 8, 8), "data has the shape 40 x 3 x 8 x 8, with the channels second. Move them to the last axis"),
        ((40, 1, 8, 8), "with the channels second. Move them to the last axis"),
        ((40, 8, 8, 5), "data has the shape 40 x 8 x 8 x 5. It must be (n, height, width) or (n, height, width, cha"),
        ((40, 8, 8, 2), "It must be (n, height, width) or"),
        ((40, 8, 8, 4), "It must be (n, height, width) or"),
        ((40, 0, 8), "It must be (n, height, width) or"),
        ((40, 8, 0, 3), "It must be (n, height, width) or"),
        ((40,), "It must be (n, height, width) or"),
        ((40, 8, 8, 1, 1), "It must be (n, height, width) or"),
    ],
)
def test_arrays_of_other_shapes_are_refused(shape, line):
    with pytest.raises(UserError) as raised:
        as_images(Stream("data", shape, None))
    assert line in f"{raised.value}"


def test_a_byte_becomes_that_many_256ths(stream_blocks):
    images = as_images(stream_blocks(ANY[:4], ANY[4:]))
    assert images.shape == (7, 2, 5, 1)
    assert np.array_equal(load(images)[..., 0] * 256, ANY) and load(images).dtype == np.float32


@pytest.mark.parametrize("dtype", [np.uint16, np.int64, ">i4"])
def test_integers_from_0_to_255_are_bytes(stream_blocks, dtype):
    wide = np.resize([0, 255], (3, 4, 5)).astype(dtype)
    assert np.array_equal(load(as_images(stream_blocks(wide)))[..., 0], wide / np.float32(256))


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16, bool])
def test_numbers_from_0_to_1_are_unchanged(stream_blocks, dtype):
    ends = np.resize([0, 1], (3, 4, 5)).astype(dtype)
    images = load(as_images(stream_blocks(ends)))
    assert images.dtype == np.float32 and np.array_equal(images[..., 0], ends)


@pytest.mark.parametrize(
    ("value", "dtype", "line"),
    [
        (256, np.int64, "3 of the 8 images in data have values outside 0 to 255. Scale them to bytes."),
        (-1, np.int64, "3 of the 8 images in data have values outside 0 to 255."),
        (1.01, float, "3 of the 8 images in data have values outside 0 to 1. Divide them by 255, or give bytes."),
        (-0.01, float, "3 of the 8 images in data have values outside 0 to 1."),
        (np.nan, float, "3 of the 8 images in data have values outside 0 to 1."),
        (np.inf, float, "3 of the 8 images in data have values outside 0 to 1."),
    ],
)
def test_images_with_other_values_are_counted_over_all_blocks(stream_blocks, value, dtype, line):
    images = np.zeros((8, 4, 5), dtype)
    images[[1, 2, 6], 3, 2] = value
    stream = as_images(stream_blocks(images[:5], images[5:]))
    with pytest.raises(UserError) as raised:
        load(stream)
    assert f"{raised.value}".startswith(line)


@pytest.mark.parametrize("dtype", ["U1", complex, "datetime64[s]"])
def test_images_that_are_not_numbers_are_refused(stream_blocks, dtype):
    with pytest.raises(UserError, match=r"data holds .*\. Images must be numbers"):
        load(as_images(stream_blocks(np.zeros((3, 4, 5), dtype))))


def test_transposed_images_have_height_and_width_exchanged(stream_blocks):
    images = transpose_images(as_images(stream_blocks(ANY[:4], ANY[4:])))
    assert images.shape == (7, 5, 2, 1)
    assert np.array_equal(load(images)[..., 0] * 256, ANY.swapaxes(1, 2))
