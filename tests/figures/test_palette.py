"""The colors of the classes."""

import numpy as np
import pytest
from matplotlib.colors import to_hex
from scipy.spatial.distance import pdist
from skimage.color import deltaE_ciede2000, rgb2lab

from common.errors import UserError
from common.figures.palette import class_colors

# What a reader without one kind of cones sees, on linear RGB (Machado, Oliveira and Fernandes 2009, severity 1).
DICHROMACY = {
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}


def least_difference(colors: np.ndarray, cones: list[list[float]]) -> float:
    """Return the smallest CIEDE2000 difference between two of the colors as a reader with these cones sees them."""
    linear = np.where(colors <= 0.04045, colors / 12.92, ((colors + 0.055) / 1.055) ** 2.4)
    seen = np.clip(linear @ np.transpose(cones), 0, 1)
    seen = np.where(seen <= 0.0031308, seen * 12.92, 1.055 * seen ** (1 / 2.4) - 0.055)
    lab = rgb2lab(seen[None])[0]
    pairs = np.triu_indices(len(lab), 1)
    return deltaE_ciede2000(lab[pairs[0]], lab[pairs[1]]).min()


@pytest.mark.parametrize("kind", DICHROMACY)
def test_color_blind_readers_can_tell_the_default_colors_apart(kind):
    assert least_difference(class_colors("auto", 10), DICHROMACY[kind]) > 10


def test_difference_of_colors_that_a_color_blind_reader_confuses_is_small():
    assert least_difference(class_colors("tab10", 10), DICHROMACY["deuteranopia"]) < 10


def test_palette_is_a_list_of_colors_or_a_name_of_matplotlibs():
    assert np.allclose(class_colors(["red", "#00ff00", "blue"], 2), [[1, 0, 0], [0, 1, 0]])
    assert np.allclose(class_colors("Set1", 3), class_colors(["#e41a1c", "#377eb8", "#4daf4a"], 3))
    assert np.allclose(class_colors("gray", 3), [[0] * 3, [0.5] * 3, [1] * 3], atol=0.01)


@pytest.mark.parametrize(
    ("palette", "classes", "message"),
    [
        ("petrof10", 10, "matplotlib has no color sequence or color map 'petrof10'. Set it to auto."),
        (["red", "#zz"], 2, "matplotlib does not know the color '#zz'. Give a name or #rrggbb."),
        (["red", "blue"], 3, "2 colors for 3 classes. Give one for each class, or set it to auto."),
        ("petroff10", 11, "10 colors for 11 classes. Give one for each class, or set it to auto."),
    ],
)
def test_palette_that_does_not_fit_is_refused(palette, classes, message):
    with pytest.raises(UserError) as error:
        class_colors(palette, classes)
    assert str(error.value) == f"figures.palette: {message}"


@pytest.mark.parametrize(
    ("classes", "distance"),
    [
        (11, 15),
        (26, 15),
        (100, 15),
        pytest.param(300, 10, marks=pytest.mark.slow),
        pytest.param(1000, 6, marks=pytest.mark.slow),
    ],
)
def test_colors_of_many_classes_are_distinct_and_legible_on_white(classes, distance):
    colors = rgb2lab(class_colors("auto", classes))
    assert len(colors) == classes and pdist(colors).min() > distance
    assert colors[10:, 0].min() >= 35 and colors[10:, 0].max() <= 80
    assert np.array_equal(class_colors("auto", classes)[:10], class_colors("petroff10", 10))


def test_distance_of_colors_that_are_too_similar_is_small():
    assert pdist(rgb2lab(class_colors("hsv", 100))).min() < 6


def test_colors_are_always_the_same():
    """A figure of another version, or of more classes, has the same colors."""
    colors = [to_hex(color) for color in class_colors("auto", 14)]
    assert colors[:2] == ["#3f90da", "#ffa90e"] and colors[10:] == ["#00e000", "#ff298f", "#007000", "#4700ff"]
    assert np.array_equal(class_colors("auto", 14), class_colors("auto", 30)[:14])


def test_few_classes_have_the_first_colors():
    assert np.array_equal(class_colors("auto", 3), class_colors("petroff10", 10)[:3])


@pytest.mark.parametrize("palette", ["auto", "jet", ["red"]])
def test_without_classes_all_images_have_one_gray(palette):
    ((red, green, blue),) = class_colors(palette, 0)
    assert red == green == blue == pytest.approx(0x4D / 255)
