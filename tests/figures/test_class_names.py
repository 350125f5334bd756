"""The names of the classes on an embedding: legible, apart from each other, and within its axes."""

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from plot_scatter import STYLES, plot_scatter

from common.figures.class_names import name_classes, shorten, type_size


def draw_boxes(figure) -> dict[str, np.ndarray]:
    """Return where the names in a scatter plot are, in pixels: left, bottom, right, top."""
    renderer = FigureCanvasAgg(figure).get_renderer()
    return {text.get_text(): np.array(text.get_window_extent(renderer).extents) for text in figure.axes[0].texts}


def plot_names(coordinates, labels, names, size=7):
    """Return a scatter plot in the style that has names."""
    return plot_scatter(coordinates, labels, names, "auto", STYLES["paper"], size)


@pytest.mark.parametrize(
    ("names", "points"),
    [
        (list("0123456789"), 3),
        (["x" * 20], 3),
        (["x" * 40] * 2, 1.5),
        (["x" * 21], 3 * np.sqrt(20 / 21)),
        (["x"] * 9999, 0.8),
    ],
)
def test_longer_names_are_smaller_within_limits(names, points):
    assert type_size(names, 1) == pytest.approx(points)
    assert type_size(names, 7) == pytest.approx(7 * points)


@pytest.mark.parametrize(
    ("name", "short"), [("x" * 24, "x" * 24), ("x" * 25, "x" * 23 + "…"), ("学" * 30, "学" * 23 + "…"), ("", "")]
)
def test_name_has_at_most_24_characters(name, short):
    assert shorten(name) == short


def test_each_class_is_named_at_the_median_of_its_points(corners):
    coordinates, labels = corners
    coordinates[0] = 3  # an outlier moves the mean, not the median
    texts = plot_names(coordinates, labels, list("0123"), size=5).axes[0].texts
    positions = {text.get_text(): text.get_position() for text in texts}
    assert positions == {"0": (-10, -10), "1": (10, -10), "2": (-10, 10), "3": (10, 10)}


def test_name_is_a_dark_shade_of_its_color_with_a_white_halo(corners):
    figure = plot_scatter(*corners, list("0123"), ["red", "lime", "blue", "white"], STYLES["paper"], size=5)
    texts = {text.get_text(): text for text in figure.axes[0].texts}
    assert np.allclose(
        [text.get_color() for text in texts.values()], [[0.6, 0, 0], [0, 0.6, 0], [0, 0, 0.6], [0.6] * 3]
    )
    for text in texts.values():
        (halo,) = text.get_path_effects()
        assert halo._gc == {"linewidth": text.get_size() / 5, "foreground": "white"}
        assert text.get_size() == 15 and text.get_weight() == "bold"


LONG = ["$Ankle_boot", "n02119789 kit fox", "_", "$a^$", "great grey owl, great gray owl, Strix nebulosa"]


@pytest.mark.parametrize("names", [LONG, [f"class {number}" for number in range(26)]])
def test_names_that_would_overlap_are_moved(names, overlap):
    labels = np.repeat(np.arange(len(names)), 10)
    heap = np.random.default_rng(0).normal(size=(len(labels), 2))
    heap[:20] += 30  # near the edge of the page
    boxes = draw_boxes(plot_names(heap, labels, names))
    assert sorted(boxes) == sorted(map(shorten, names)), "none is left out, nor read as a formula"
    boxes = np.array(list(boxes.values()))
    assert not overlap(boxes) and boxes.min() >= -1e-3 and boxes.max() <= 700 + 1e-3


def test_name_of_the_smaller_class_moves_up_to_the_nearest_free_line(overlap):
    """In steps of half a line, so that it is at most half a line too far."""
    labels = np.array([0] * 3 + [1] * 5 + [2, 2])
    points = np.zeros((10, 2))
    points[-2:] = [[-50, -50], [50, 50]]
    boxes = draw_boxes(plot_names(points, labels, ["small", "large", "x"]))
    center = {name: (box[:2] + box[2:]) / 2 for name, box in boxes.items()}
    assert np.abs(boxes["large"][:2] + boxes["large"][2:] - 700).max() < 15, "in the middle of the page"
    assert center["small"][0] == pytest.approx(center["large"][0], abs=1)
    line = type_size(["small", "large", "x"], 7) * 100 / 72
    assert 0 <= boxes["small"][1] - boxes["large"][3] < line
    assert not overlap(np.array(list(boxes.values())))


def test_name_at_the_edge_moves_only_as_far_as_the_page_needs():
    labels = np.repeat([0, 1], 5)
    points = np.repeat([[-10.0, 0], [10, 0]], 5, axis=0)
    boxes = draw_boxes(plot_names(points, labels, ["a long name", "another one"]))
    assert boxes["a long name"][0] == pytest.approx(0, abs=1e-6)
    assert boxes["another one"][2] == pytest.approx(700, abs=1e-6)
    assert (boxes["a long name"][1] + boxes["a long name"][3]) / 2 == pytest.approx(350, abs=10), "not up or down"


def name_points(points: np.ndarray, names: list[str], labels: np.ndarray | None = None) -> Figure:
    """Return a figure with the names of points from -1 to 1, on a page of 700 pixels, each a class or with labels."""
    figure = Figure((7, 7))
    axes = figure.add_axes((0, 0, 1, 1), xlim=(-1, 1), ylim=(-1, 1))
    labels = np.arange(len(points)) if labels is None else labels
    name_classes(axes, points, labels, names, np.zeros((len(names), 3)), type_size(names, 7))
    return figure


def test_names_have_their_size_in_points_and_stay_within_their_axes(text_boxes, overlap):
    """The axes are a small part of the figure, as in the figure of all layers."""
    figure = Figure((7, 4))
    axes = figure.add_axes((0.25, 0.5, 0.25, 0.25), xlim=(-1, 1), ylim=(-1, 1))
    points = np.repeat([[-1.0, -1], [1, 1], [1, 1]], 5, axis=0)
    name_classes(axes, points, np.repeat(np.arange(3), 5), ["long name", "another", "a third"], np.zeros((3, 3)), 6.5)
    boxes, page = text_boxes(axes.texts), axes.get_window_extent().extents
    assert [text.get_size() for text in axes.texts] == [6.5] * 3 and not overlap(boxes)
    assert (boxes[:, :2] >= page[:2] - 1e-3).all() and (boxes[:, 2:] <= page[2:] + 1e-3).all()
    assert boxes[0, :2] == pytest.approx(page[:2]) and boxes[1, 2:] == pytest.approx(page[2:])


def test_name_without_a_free_position_nearby_is_left_out(text_boxes, overlap):
    """There are positions up to twelve half lines away, and twice as far to the sides."""
    figure = name_points(np.zeros((200, 2)), ["x"] * 200)
    extents = text_boxes(figure.axes[0].texts)
    assert 80 < len(extents) < 150 and not overlap(extents)
    half_line = type_size(["x"] * 200, 7) / 2 * 100 / 72
    offsets = ((extents[:, :2] + extents[:, 2:]) / 2 - 350) / half_line
    nearest = [2 * np.sin(np.pi / 3), np.cos(np.pi / 3)]  # no position that is nearer is free
    assert np.allclose(offsets[:2], [[0, 0], nearest], atol=0.01)
    assert np.abs(offsets).max(axis=0) == pytest.approx([24, 12])
    assert {(0, -12), (0, 12)} <= set(map(tuple, np.round(offsets, 2)))


def test_names_fill_at_most_a_sixth_of_the_page(overlap):
    """Those of the first classes are written, in the smallest type."""
    names = [f"n{number:04} great grey owl" for number in range(150)]
    boxes = draw_boxes(name_points(np.random.default_rng(0).uniform(-1, 1, size=(150, 2)), names))
    extents = np.array(list(boxes.values()))
    assert list(boxes) == names[: len(boxes)] and not overlap(extents)
    areas = np.prod(extents[:, 2:] - extents[:, :2], axis=1) / 700**2
    assert areas.sum() - areas[-1] <= 1 / 6 < areas.sum()


def test_of_very_many_names_those_of_the_largest_classes_are_written():
    names = [f"n{number:04} great grey owl" for number in range(150)]
    labels = np.concatenate([np.arange(150), np.repeat(np.arange(120, 140), 5)])
    figure = name_points(np.random.default_rng(0).uniform(-1, 1, size=(len(labels), 2)), names, labels)
    texts = {text.get_text(): text.get_size() for text in figure.axes[0].texts}
    assert 40 < len(texts) < 120 and set(names[120:140]) <= set(texts)
    assert list(texts.values()) == pytest.approx([5.6] * len(texts))
