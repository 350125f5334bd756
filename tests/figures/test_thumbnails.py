"""The embedding drawn with the images themselves."""

import numpy as np
import pytest
from plot_thumbnails import add_frame, plot_thumbnails, scale_image, thumbnail_scale

from common.figures.maps import find_frame
from common.figures.palette import class_colors

SIDE = 28


def find_corner(coordinates: np.ndarray, row: int, canvas: int = 600) -> tuple[int, int]:
    """Return the left and upper edge of a thumbnail of 28 x 28 pixels that is centered on the point of a row."""
    center, side = find_frame(coordinates)
    x, y = (coordinates[row] - center) / side * canvas * [1, -1] + canvas / 2
    return round(x) - SIDE // 2, round(y) - SIDE // 2


def test_thumbnails_have_the_colors_and_the_orientation_of_the_scatter_plot(corners, colors, quadrant_colors):
    coordinates, labels = corners
    picture, table = plot_thumbnails(coordinates, np.ones((20, 28, 28, 1), np.float32), labels, 4, colors, 600)
    assert quadrant_colors(table[picture]) == [{name} for name in colors]


def test_thumbnails_are_upright_and_centered_on_their_points(corners, colors):
    coordinates, labels = corners
    images = np.zeros((20, 28, 28, 1), np.float32)
    images[:, :14, :14] = 1  # ink in the upper left quarter
    picture, table = plot_thumbnails(coordinates, images, labels, 4, colors, 600)
    rows, columns = np.nonzero((table[picture] == 0).all(axis=2))  # class 3, black, at the upper right
    left, top = find_corner(coordinates, -1)
    assert (columns.min(), columns.max()) == pytest.approx((left, left + 13), abs=1)
    assert (rows.min(), rows.max()) == pytest.approx((top, top + 13), abs=1)
    assert len(rows) == 14 * 14


def test_no_class_is_hidden_among_thumbnails(colors):
    generator = np.random.default_rng(0)
    coordinates, labels = generator.uniform(size=(3000, 2)), np.repeat(np.arange(3), 1000)
    picture, table = plot_thumbnails(coordinates, np.ones((3000, 8, 8, 1), np.float32), labels, 3, colors, 600)
    counts = [(table[picture] == color).all(axis=2).sum() for color in np.eye(3, dtype=np.uint8) * 255]
    assert min(counts) > 0.7 * max(counts)


def test_every_image_is_drawn_even_if_they_are_prepared_in_blocks():
    """There are more images than are prepared at once, each in a place of its own."""
    count = 1050
    coordinates = np.stack(np.divmod(np.arange(count), 33), axis=1).astype(np.float32)
    picture, _ = plot_thumbnails(
        coordinates, np.ones((count, 1, 1, 1), np.float32), np.zeros(count, int), 1, "auto", 1500
    )
    assert (picture > 0).sum() == count * 28 * 28


def test_ink_has_tints_of_the_class_color_and_the_ground_stays_white():
    """Two classes share 255 tints; a value is rounded to the nearest of its class."""
    image = np.zeros((1, 28, 28, 1), np.float32)
    values = np.linspace(0, 1, 28, dtype=np.float32)
    image[0, 14, :, 0] = values
    picture, table = plot_thumbnails(np.zeros((1, 2)), image, np.array([1]), 2, ["white", "red"], 600)
    assert table[0].tolist() == [255, 255, 255] and table.shape == (256, 3) and table.dtype == np.uint8
    left, top = find_corner(np.zeros((1, 2)), 0)
    shades = table[picture][top + 14, left : left + 28].astype(float)
    drawn = values > 0.1 - 1 / 27  # the pixels beside ink are drawn as well
    assert (shades[:, 0] == 255).all() and np.allclose(shades[drawn, 1], 255 * (1 - values[drawn]), atol=1.5)
    assert (shades[~drawn, 1] == 255).all() and (picture > 127).sum() == drawn.sum(), "tints 128 to 254 are red"


def test_white_outline_of_one_pixel_sets_ink_off_from_the_image_below():
    """Whichever of the two images is drawn later: in one order the dark one covers the other."""
    images = np.ones((2, 28, 28, 1), np.float32)
    images[1] = 0
    images[1, 10, 10] = 0.11  # just ink
    images[1, 20, 20] = 0.1  # not yet
    outcomes = []
    for order in ([0, 1], [1, 0]):
        picture, table = plot_thumbnails(np.zeros((2, 2)), images[order], np.array([0, 0]), 1, ["black"], 600)
        left, top = find_corner(np.zeros((2, 2)), 0)
        outcomes.append(table[picture][top : top + 28, left : left + 28, 0].astype(int))
    covered, outlined = sorted(outcomes, key=np.sum)
    assert (covered == 0).all()
    assert (outlined > 0).sum() == 9 and (outlined[9:12, 9:12] > 0).all()
    assert outlined[10, 10] == pytest.approx(255 * 0.89, abs=1) and (outlined[9:12, 9] == 255).all()


def test_color_images_keep_their_colors_in_a_frame_of_their_class_color(corners, colors):
    coordinates, labels = corners
    values = np.random.default_rng(0).integers(256, size=(28, 28, 3))
    images = np.broadcast_to((values / 256).astype(np.float32), (20, 28, 28, 3))
    picture, table = plot_thumbnails(coordinates, images, labels, 4, colors, 600)
    assert table is None and picture.shape == (600, 600, 3)
    left, top = find_corner(coordinates, -1)
    assert np.array_equal(picture[top : top + 28, left : left + 28], values)
    edge = picture[top - 2 : top + 30, left - 2 : left + 30].copy()
    edge[2:-2, 2:-2] = 0
    assert (edge == 0).all(), "black, the class's color"
    assert (picture[top - 3] == 255).all() and (picture[:, left - 3] == 255).all()


@pytest.mark.parametrize(("side", "edge"), [((28, 28), 2), ((28, 50), 2), ((50, 21), 2), ((42, 42), 3), ((4, 9), 1)])
def test_frame_is_a_fourteenth_of_the_shorter_side(side, edge):
    framed = add_frame(np.ones((*side, 3)), np.array([1, 0.5, 0]))
    assert framed.shape == (side[0] + 2 * edge, side[1] + 2 * edge, 3) and framed.dtype == np.uint8
    assert (framed[:edge] == [255, 128, 0]).all() and (framed[:, -edge:] == [255, 128, 0]).all()
    assert (framed[edge:-edge, edge:-edge] == 255).all(), "1 is the brightest byte"


def test_thumbnails_at_the_edge_stay_on_the_canvas():
    """With their frames they are larger than the margin."""
    coordinates = np.array([[0, 0], [1, 0], [0, 1], [1, 1]], np.float32)
    images = np.zeros((4, 28, 28, 3), np.float32)
    picture, _ = plot_thumbnails(coordinates, images, np.zeros(4, int), 1, ["black"], 500)
    assert (picture == 0).all(axis=2).sum() == 4 * 32 * 32
    assert (picture[0, 0] == 0).all() and (picture[-1, -1] == 0).all()


@pytest.mark.parametrize(
    ("shape", "canvas", "size"),
    [
        ((28, 28), 600, (28, 28)),
        ((8, 8), 3000, (24, 24)),
        ((29, 14), 600, (28, 14)),
        ((14, 15), 600, (14, 15)),
        ((224, 112), 3000, (50, 25)),
        ((64, 100), 600, (18, 28)),
        ((40, 20), 3000, (40, 20)),
        ((1, 1), 3000, (28, 28)),
        ((1000, 2), 600, (28, 1)),
    ],
)
def test_thumbnails_have_similar_sizes_whatever_the_images(shape, canvas, size):
    image = np.full((*shape, 1), 0.5, np.float32)
    thumbnail = scale_image(image, thumbnail_scale(*shape, canvas))
    assert thumbnail.shape == (*size, 1) and thumbnail == pytest.approx(0.5)


def test_small_images_are_enlarged_without_blur_and_large_ones_are_smoothed():
    image = np.array([[0, 1], [1, 0]], np.float32)[..., None]
    assert np.array_equal(scale_image(image, 14)[:, :, 0], np.kron(image[..., 0], np.ones((14, 14))))
    stripes = np.tile(np.array([0, 1], np.float32), 50)[None, :, None].repeat(100, axis=0)
    assert np.ptp(scale_image(stripes, 0.25)[5:-5, 5:-5]) < 0.2


def draw_squares(coordinates, labels, classes):
    """Return the thumbnails of squares of ink, in the default colors."""
    return plot_thumbnails(coordinates, np.ones((20, 28, 28, 1), np.float32), labels, classes, "auto", 600)


def test_ink_of_very_many_classes_has_all_of_their_colors(corners):
    picture, table = draw_squares(corners[0], 30 * corners[1], 100)
    expected = np.rint(255 * class_colors("auto", 100)[[0, 30, 60, 90]])
    assert table is None and {tuple(color) for color in picture.reshape(-1, 3)} == {
        (255, 255, 255),
        *map(tuple, expected),
    }


@pytest.mark.parametrize(("classes", "is_indexed"), [(42, True), (43, False)])
def test_picture_has_a_table_of_colors_if_each_class_can_have_six_tints(corners, classes, is_indexed):
    picture, table = draw_squares(corners[0], 10 * corners[1], classes)
    assert (table is not None) == is_indexed and picture.ndim == (2 if is_indexed else 3)
    shown = picture if table is None else table[picture]
    expected = np.rint(255 * class_colors("auto", classes)[[0, 10, 20, 30]])
    assert {tuple(color) for color in shown.reshape(-1, 3)} == {(255, 255, 255), *map(tuple, expected)}


def test_without_classes_ink_is_gray(corners):
    picture, table = draw_squares(corners[0], 0 * corners[1], 0)
    assert {tuple(color) for color in table[picture].reshape(-1, 3)} == {(255, 255, 255), (77, 77, 77)}


def test_gray_ink_of_very_many_classes_is_blended_with_white():
    image = np.full((1, 28, 28, 1), 0.5, np.float32)
    picture, _ = plot_thumbnails(np.zeros((1, 2)), image, np.array([0]), 50, ["red"] * 50, 600)
    assert {tuple(color) for color in picture.reshape(-1, 3)} == {(255, 255, 255), (255, 128, 128)}
