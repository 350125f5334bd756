"""The first look at all images: their brightness, and what is said of them."""

import numpy as np
import pytest
import tifffile
from PIL import Image

from common.errors import UserError
from common.readers.survey import survey_images


@pytest.fixture
def look(tmp_path):
    """A function that writes arrays as TIFF files, and returns the looks at them."""

    def look(*arrays, white=None):
        for number, array in enumerate(arrays):
            tifffile.imwrite(tmp_path / f"{number}.tif", array, photometric="rgb" if array.ndim == 3 else "minisblack")
        names = [f"{number}.tif" for number in range(len(arrays))]
        return survey_images(str(tmp_path), names, white, False)

    return look


def flat(value, dtype, shape=(4, 6)):
    return np.full(shape, value, dtype)


def test_look_has_size_channels_type_and_range(look):
    array = np.arange(72, dtype=np.uint16).reshape(4, 6, 3) * 900
    (found,) = look(array).values()
    assert found == ((4, 6), 3, np.dtype("uint16"), 0, 71 * 900, False, False)


@pytest.mark.parametrize(
    ("brightest", "dtype", "white", "line"),
    [
        (
            4080,
            "uint16",
            None,
            "the brightest value is 4,080 of 65,535, so they are dark. Set white to",
        ),
        (16_383, "uint16", None, "the brightest value is 16,383 of 65,535, so they are dark. Set white"),
        (16, "uint8", None, "the brightest value is 16 of 255, so they are dark"),
        (900, "uint16", 4095, "the brightest value is 900 of 4,095, so they are dark"),
        (5000, "uint16", 4095, "values above white (4095) in 1 image, up to 5000, become white"),
        (3.5, "float32", 2, "values above white (2) in 1 image, up to 3.5, become white"),
    ],
)
def test_images_that_are_dark_or_too_bright_are_warned_of(look, caplog, brightest, dtype, white, line):
    look(flat(brightest, dtype), flat(1, dtype), white=white)
    (message,) = caplog.messages
    assert message.startswith("warning: 2 images of ") and f" with {dtype} values: {line}" in message


def test_warning_of_dark_images_ends_with_a_likely_white(look, caplog):
    look(flat(4080, "uint16"))
    assert caplog.messages[0].endswith("Set white to the value that is white, such as 4095")


@pytest.mark.parametrize(
    ("brightest", "dtype", "white"),
    [(16_384, "uint16", None), (4080, "uint16", 4095), (255, "uint8", 4095), (0, "uint8", None), (1, "float32", None)],
)
def test_images_that_use_their_range_are_not(look, caplog, brightest, dtype, white):
    look(flat(brightest, dtype), white=white)
    assert caplog.messages == []


@pytest.mark.parametrize(
    ("value", "dtype", "line"),
    [
        (
            300,
            "float32",
            r"1 image of .* with float32 values: the brightest is 300, and white is 1\. Set white to",
        ),
        (-0.5, "float32", r"1 image of .* the lowest value is -0\.5\. Shift the values, so that black is 0\.$"),
        (-3, "int16", r"the lowest value is -3\. Shift"),
        (np.nan, "float32", r"0\.tif \(ValueError: it has values that are not finite\)\. Replace"),
        (np.inf, "float64", r"0\.tif \(ValueError: it has values that are not finite\)\. Replace"),
    ],
)
def test_values_without_a_known_range_are_refused(look, value, dtype, line):
    with pytest.raises(UserError, match=line):
        look(flat(value, dtype))


def test_further_frames_are_said_to_be_left_out(tmp_path, caplog):
    caplog.set_level("INFO")
    frames = [Image.new("L", (6, 4), level) for level in (200, 100)]
    frames[0].save(tmp_path / "1.gif", save_all=True, append_images=frames[1:])
    survey_images(str(tmp_path), ["1.gif"], None, False)
    remark = "of several frames or pages, the first is used, in 1 image: 1.gif"
    assert caplog.messages == [f"{tmp_path}: {remark}"]


def test_reasons_of_more_than_ten_damaged_images_are_in_the_log(tmp_path, caplog):
    caplog.set_level("DEBUG", "workflow")
    names = [f"{number}.png" for number in range(12)]
    for name in names:
        (tmp_path / name).touch()
    with pytest.raises(UserError, match=r"12 of 12 images of .* cannot be read: 0\.png .*9\.png \(.*\) and 2 others\."):
        survey_images(str(tmp_path), names, None, False)
    assert [message.split(": ")[0] for message in caplog.messages] == [f"{tmp_path}/{name}" for name in names]
