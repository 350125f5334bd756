"""The scatter plot of an embedding: orientation, style, and rings around errors."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from plot_scatter import STYLES, plot_scatter

from common.figures.palette import class_colors

NAMES = list("0123")


def test_scatter_plot_has_its_classes_in_their_corners(corners, colors, render, quadrant_colors):
    style = replace(STYLES["paper"], labels=False)
    figure = plot_scatter(*corners, NAMES, colors, style, size=5)
    assert quadrant_colors(render(figure, dpi=200)) == [{name} for name in colors]


def test_no_class_is_hidden_by_the_order_of_drawing(colors, render):
    generator = np.random.default_rng(0)
    coordinates, labels = generator.normal(size=(3000, 2)), np.repeat(np.arange(3), 1000)
    pixels = render(plot_scatter(coordinates, labels, NAMES[:3], colors, STYLES["paper"], size=3), dpi=200)
    middle = pixels[200:400, 200:400].reshape(-1, 3)
    counts = [(middle == color).all(axis=1).sum() for color in np.eye(3, dtype=np.uint8) * 255]
    assert min(counts) > 0.7 * max(counts)


def test_figure_has_the_size_of_its_style_unless_another_is_set(corners, colors):
    sizes = {name: plot_scatter(*corners, NAMES, colors, style, None) for name, style in STYLES.items()}
    assert {name: tuple(figure.get_size_inches()) for name, figure in sizes.items()} == {
        "paper": (7, 7),
        "notebook": (50, 50),
    }
    assert tuple(plot_scatter(*corners, NAMES, colors, STYLES["paper"], 3.5).get_size_inches()) == (3.5, 3.5)
    box = plot_scatter(*corners, NAMES, colors, STYLES["paper"], None).axes[0].get_position()
    assert box.bounds == (0, 0, 1, 1)


def test_picture_in_the_report_has_a_few_million_pixels():
    pixels = {name: style.size * style.dpi for name, style in STYLES.items()}
    assert pixels == {"paper": 2100, "notebook": 3000}


def test_notebook_style_is_the_notebooks(corners, colors):
    lines = (axes := plot_scatter(*corners, NAMES, colors, STYLES["notebook"], size=None).axes[0]).lines
    assert {line.get_markeredgecolor() for line in lines} == {"red"} and not axes.texts
    assert {tuple(line.get_color()) for line in lines} == {tuple(color) for color in class_colors("jet", 4)}


def test_paper_style_has_the_colors_of_the_configuration_and_no_edges(corners):
    axes = plot_scatter(*corners, NAMES, "Set1", STYLES["paper"], size=5).axes[0]
    assert {tuple(line.get_color()) for line in axes.lines} == {tuple(color) for color in class_colors("Set1", 4)}
    assert {line.get_markeredgewidth() for line in axes.lines} == {0} and len(axes.texts) == 4


def test_without_labels_a_map_has_one_color_and_no_names(corners):
    coordinates, labels = corners
    axes = plot_scatter(coordinates, 0 * labels, [], "auto", STYLES["paper"], size=5).axes[0]
    assert not axes.texts and {tuple(line.get_color()) for line in axes.lines} == {tuple(class_colors("auto", 0)[0])}


@pytest.fixture
def wrong() -> tuple[np.ndarray, np.ndarray]:
    """Coordinates and labels of two misclassified images."""
    return np.array([[-10, -10], [3, 3]]), np.array([0, 1])


def find_rings(figure) -> list:
    return [line for line in figure.axes[0].lines if str(line.get_markeredgecolor()) == "black"]


def test_ring_marks_an_error_in_the_color_of_its_label(corners, colors, wrong):
    figure = plot_scatter(*corners, NAMES, colors, STYLES["paper"], size=5, wrong=wrong)
    rings = find_rings(figure)
    assert [tuple(line.get_color()) for line in rings] == [to_rgb("red"), to_rgb("lime")]
    assert [tuple(np.ravel(line.get_data())) for line in rings] == [(-10, -10), (3, 3)]
    assert figure.axes[0].lines[-2:] == rings, "above all points"
    assert {(line.get_markersize(), line.get_markeredgewidth()) for line in rings} == {(3, 0.6)}


def test_notebook_style_and_a_plot_without_errors_have_no_rings(corners, colors, wrong):
    assert not find_rings(plot_scatter(*corners, NAMES, colors, STYLES["paper"], size=5))
    assert not find_rings(plot_scatter(*corners, NAMES, colors, STYLES["notebook"], size=5, wrong=wrong))
