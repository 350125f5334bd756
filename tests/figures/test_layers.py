"""The embeddings of all layers side by side, with captions and a legend."""

import matplotlib
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from plot_layers import make_caption, plot_layers

from common.figures.style import PAGE_STYLE

NAMES = list("0123")
SCORES = {
    "train": {"knn_accuracy_map": 0.98765, "knn_preservation_10": 0.404},
    "test": {"knn_accuracy_map": 0.9, "knn_preservation_10": 0.3},
}
UNKNOWN = {"knn_accuracy_map": None, "knn_preservation_10": None}


@pytest.mark.parametrize(
    ("scores", "caption"),
    [
        (SCORES, "labels right 98.77% (test 90.00%)\nneighbors kept 40% (test 30%)"),
        (SCORES | {"test": UNKNOWN}, "labels right 98.77%\nneighbors kept 40%"),
        ({split: SCORES[split] | {"knn_accuracy_map": None} for split in SCORES}, "neighbors kept 40% (test 30%)"),
        ({"train": UNKNOWN, "test": UNKNOWN}, ""),
    ],
)
def test_caption_has_the_scores_that_are_known(scores, caption):
    assert make_caption(scores) == caption


def plot(layers: list[str], coordinates, labels, names=NAMES, palette="auto", scores=SCORES):
    """Return a figure that shows the same embedding for each layer."""
    with matplotlib.rc_context(PAGE_STYLE):
        return plot_layers(dict.fromkeys(layers, coordinates), labels, names, dict.fromkeys(layers, scores), palette)


@pytest.mark.parametrize(
    ("count", "columns", "rows", "width"), [(1, 1, 1, 3.5), (2, 2, 1, 7), (3, 3, 1, 7), (4, 4, 1, 7), (5, 4, 2, 7)]
)
def test_embeddings_stand_in_rows_of_up_to_four_squares(corners, count, columns, rows, width):
    figure = plot([f"layer{number}" for number in range(count)], *corners)
    boxes = np.array([axes.get_position().extents for axes in figure.axes]) * np.tile(figure.get_size_inches(), 2)
    assert figure.get_figwidth() == pytest.approx(width)
    assert np.allclose(boxes[:, 2:] - boxes[:, :2], width / columns)
    assert len(np.unique(boxes[:, 0].round(3))) == columns and len(np.unique(boxes[:, 1].round(3))) == rows
    order = np.lexsort((boxes[:, 0], -boxes[:, 1].round(3)))
    assert order.tolist() == list(range(count)), "in rows from the upper left"


@pytest.mark.parametrize(("count", "classes"), [(1, 0), (5, 0), (1, 40), (4, 4), (9, 4)])
def test_texts_are_on_the_page_and_overlap_neither_each_other_nor_an_embedding(count, classes, text_boxes, overlap):
    labels = np.arange(80) % max(classes, 1)
    points = np.random.default_rng(0).normal(size=(80, 2))
    figure = plot([f"layer{number}" for number in range(count)], points, labels, [f"n{k}" for k in range(classes)])
    FigureCanvasAgg(figure).draw()
    boxes = [text_boxes(figure.texts), np.array([axes.get_window_extent().extents for axes in figure.axes])]
    boxes += [np.array([legend.get_window_extent().extents]) for legend in figure.legends]
    boxes = np.concatenate(boxes)
    assert len(boxes) == 3 * count + (classes > 0) and not overlap(boxes)
    assert boxes.min() >= -1e-3 and (boxes[:, 2:] <= figure.bbox.size + 1e-3).all()
    if classes:
        gap = text_boxes(figure.texts[1::2])[:, 1].min() - figure.legends[0].get_window_extent().y1
        assert gap < 0.2 * figure.dpi, "the legend stands below the captions"
    used = boxes[:, 3].max() - boxes[:, 1].min()
    assert used > figure.bbox.height - 0.25 * figure.dpi, "at most a quarter of an inch is left over"


def test_each_embedding_has_its_name_above_and_its_scores_below(corners):
    figure = plot(list("abcde"), *corners)
    assert [text.get_text() for text in figure.texts] == [
        text for layer in "abcde" for text in (layer, make_caption(SCORES))
    ]
    FigureCanvasAgg(figure).draw()
    for number, axes in enumerate(figure.axes):
        name, caption = (text.get_window_extent() for text in figure.texts[2 * number : 2 * number + 2])
        box = axes.get_window_extent()
        assert -0.01 < name.y0 - box.y1 < 5 and 0 < box.y0 - caption.y1 < 5
        assert name.x0 + name.x1 == pytest.approx(box.x0 + box.x1, abs=2)
        assert caption.x0 + caption.x1 == pytest.approx(box.x0 + box.x1, abs=2)
        assert figure.texts[2 * number].get_weight() == "bold"
        assert figure.texts[2 * number].get_size() == 8 and figure.texts[2 * number + 1].get_size() == 6.5


def test_embeddings_have_the_colors_and_the_orientation_of_the_scatter_plot(corners, colors, render, quadrant_colors):
    figure = plot(["a"], *corners, palette=colors)
    left, bottom, right, top = (200 * np.array(figure.axes[0].get_position().extents)).tolist()
    width, height = figure.get_size_inches()
    picture = render(figure, dpi=200)
    square = picture[-round(top * height) : -round(bottom * height), round(left * width) : round(right * width)]
    assert abs(len(square) - square.shape[1]) <= 1
    assert quadrant_colors(square) == [{name} for name in colors]


def test_legend_has_the_classes_that_are_present_with_their_colors(corners, colors):
    coordinates, labels = corners
    (legend,) = plot(["a"], coordinates, np.where(labels == 1, 2, labels), palette=colors).legends
    assert [text.get_text() for text in legend.get_texts()] == ["0", "2", "3"]
    shown = [np.round(line.get_color()).tolist() for line in legend.legend_handles]
    assert shown == [[1, 0, 0], [0, 0, 1], [0, 0, 0]]


def read_columns(legend) -> int:
    """Return the number of columns of a drawn legend."""
    return len({round(text.get_window_extent().x0) for text in legend.get_texts()})


@pytest.mark.parametrize(
    ("names", "columns"),
    [
        ([f"{number}" for number in range(10)], 10),  # in one line
        ([f"a class with a long name {number}" for number in range(12)], 4),
        ([*["a"] * 9, "one very long name among short ones, by which the others are not spread"], 10),
        ([f"{number} " + 80 * "x" for number in range(3)], 1),
    ],
)
def test_legend_has_as_many_columns_as_fit(names, columns):
    figure = plot(list("abcd"), np.random.default_rng(0).normal(size=(40, 2)), np.arange(40) % len(names), names)
    FigureCanvasAgg(figure).draw()
    (legend,) = figure.legends
    assert read_columns(legend) == columns
    assert legend.get_window_extent().width <= figure.bbox.width


def test_names_are_not_read_as_formulas_or_left_out():
    names = [f"_class ${number}$" for number in range(40)]
    figure = plot(["a_$b$"], np.random.default_rng(0).normal(size=(80, 2)), np.arange(80) % 40, names)
    texts = figure.legends[0].get_texts()
    assert [text.get_text() for text in texts] == names and figure.texts[0].get_text() == "a_$b$"
    assert not any(text.get_parse_math() for text in (*texts, figure.texts[0]))


@pytest.mark.parametrize(("classes", "is_shown"), [(0, False), (1, True), (40, True), (41, False)])
def test_one_to_forty_classes_have_a_legend(classes, is_shown):
    labels = np.arange(82) % max(classes, 1)
    figure = plot(["a"], np.random.default_rng(0).normal(size=(82, 2)), labels, [f"n{k}" for k in range(classes)])
    assert bool(figure.legends) == is_shown
