"""The embeddings of all layers side by side, with captions and a legend."""

import matplotlib
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from plot_layers import group_splits

from common.figures.panels import draw_panels, make_caption
from common.figures.style import DPI, PAGE_STYLE
from common.names import SPLITS

NAMES = list("0123")
UNKNOWN = {"knn_accuracy_map": None, "knn_preservation_10": None}
SCORES = {
    "train": {"knn_accuracy_map": 0.98765, "knn_preservation_10": 0.404},
    "validation": {"knn_accuracy_map": 0.9, "knn_preservation_10": 0.3},
    "test": {"knn_accuracy_map": 1.0, "knn_preservation_10": 0.296},
    "r_squared": 0.904,
}
CAPTION = "kNN accuracy 98.8 / 90.0 / 100.0 %\nkNN preservation 40 / 30 / 30 %\nR² to pixel 0.90"
NOTE = "Scores in the embedding: training / validation / test images"
GROUPS = ("training images", "held-out images")


@pytest.mark.parametrize(
    ("scores", "caption"),
    [
        (SCORES, CAPTION),
        (SCORES | {"r_squared": None}, "kNN accuracy 98.8 / 90.0 / 100.0 %\nkNN preservation 40 / 30 / 30 %"),
        (
            SCORES | {"validation": UNKNOWN, "test": UNKNOWN},
            "kNN accuracy 98.8 %\nkNN preservation 40 %\nR² to pixel 0.90",
        ),
        (
            {split: SCORES[split] | {"knn_accuracy_map": None} for split in SPLITS} | {"r_squared": None},
            "kNN preservation 40 / 30 / 30 %",
        ),
        (dict.fromkeys(SPLITS, UNKNOWN) | {"r_squared": None}, ""),
    ],
)
def test_caption_has_the_scores_of_each_split_that_are_known(scores, caption):
    assert make_caption(scores, "pixel") == caption


def test_held_out_images_are_those_of_validation_and_test():
    groups = group_splits({"train": np.array([0, 1]), "validation": np.array([2]), "test": np.array([3, 4])}, "image")
    assert {group: rows.tolist() for group, rows in groups.items()} == {
        "training images": [0, 1],
        "held-out images": [2, 3, 4],
    }
    none = np.zeros((0, 2))
    assert list(group_splits({"train": np.zeros((3, 2)), "validation": none, "test": none}, "row")) == ["training rows"]


def plot(layers, coordinates, labels, names=NAMES, palette="auto", groups=GROUPS, caption=CAPTION, **options):
    """Return a figure that shows the same embedding for each layer and group."""
    with matplotlib.rc_context(PAGE_STYLE):
        return draw_panels(
            {layer: {"": dict.fromkeys(groups, coordinates)} for layer in layers},
            dict.fromkeys(groups, labels),
            names,
            {layer: {"": caption} for layer in layers},
            palette,
            **options,
        )


@pytest.mark.parametrize("groups", [GROUPS, GROUPS[:1]])
@pytest.mark.parametrize(
    ("count", "columns", "rows", "width"), [(1, 1, 1, 3.5), (2, 2, 1, 7), (3, 3, 1, 7), (4, 4, 1, 7), (5, 4, 2, 7)]
)
def test_layers_stand_in_rows_of_up_to_four_with_training_above_held_out_images(
    corners, groups, count, columns, rows, width
):
    figure = plot([f"layer{number}" for number in range(count)], *corners, groups=groups)
    boxes = np.array([axes.get_position().extents for axes in figure.axes]) * np.tile(figure.get_size_inches(), 2)
    assert figure.get_figwidth() == pytest.approx(width)
    assert np.allclose(boxes[:, 2:] - boxes[:, :2], width / columns)
    assert len(np.unique(boxes[:, 0].round(3))) == columns
    assert len(np.unique(boxes[:, 1].round(3))) == rows * len(groups)
    if len(groups) == 2:
        assert np.allclose(boxes[::2, 0], boxes[1::2, 0]) and (boxes[::2, 1] > boxes[1::2, 3]).all()
    training = boxes[:: len(groups)]
    order = np.lexsort((training[:, 0], -training[:, 1].round(3)))
    assert order.tolist() == list(range(count)), "in rows from the upper left"


def test_training_and_held_out_images_of_a_layer_stand_in_the_same_frame():
    maps = {
        layer: {"": {"training images": np.array([[0, 0], [10, 4]]), "held-out images": np.array([[shift, 2.0]])}}
        for layer, shift in (("a", 5), ("b", 30))
    }
    labels = {"training images": np.array([0, 1]), "held-out images": np.array([1])}
    axes = draw_panels(maps, labels, NAMES, {layer: {"": CAPTION} for layer in maps}, "auto").axes
    limits = [(*each.get_xlim(), *each.get_ylim()) for each in axes]
    assert limits[0] == limits[1] == pytest.approx((-0.3, 10.3, -3.3, 7.3))
    assert limits[2] == limits[3] == pytest.approx((-0.9, 30.9, -13.9, 17.9))
    shown = [np.concatenate([line.get_xydata() for line in each.lines]).tolist() for each in axes]
    assert sorted(shown[2]) == [[0, 0], [10, 4]] and shown[3] == [[30, 2]]


@pytest.mark.parametrize(
    ("count", "classes", "groups", "note"),
    [(1, 0, GROUPS[:1], ""), (5, 0, GROUPS, NOTE), (1, 40, GROUPS, NOTE), (4, 4, GROUPS, NOTE), (9, 1, GROUPS, "")],
)
@pytest.mark.parametrize("name", ["layer", "resnet50_conv4_block23_3_conv_relu"])
def test_texts_are_on_the_page_and_overlap_neither_each_other_nor_an_embedding(
    count, classes, groups, note, name, text_boxes, overlap
):
    """Even if all accuracies have four digits, and a layer has a long name."""
    labels = np.arange(80) % max(classes, 1)
    points = np.random.default_rng(0).normal(size=(80, 2))
    caption = f"kNN accuracy 100.0 / 100.0 / 100.0 %\nkNN preservation 40 / 39 / 39 %\nR² to {name} 0.90"
    layers = [f"{name}_{number}" for number in range(count)]
    names = [f"n{number}" for number in range(classes)]
    figure = plot(layers, points, labels, names, groups=groups, caption=caption, note=note)
    figure.set_dpi(DPI)  # at a lower one, letters are as wide as whole pixels
    FigureCanvasAgg(figure).draw()
    boxes = [text_boxes(figure.texts), np.array([axes.get_window_extent().extents for axes in figure.axes])]
    boxes += [text_boxes(legend.get_texts()) for legend in figure.legends]
    boxes = np.concatenate(boxes)
    assert len(boxes) == (2 + 2 * len(groups)) * count + bool(note) + classes and not overlap(boxes)
    assert boxes.min() >= -1e-3 and (boxes[:, 2:] <= figure.bbox.size + 1e-3).all()
    used = boxes[:, 3].max() - boxes[:, 1].min()
    assert used > figure.bbox.height - 0.25 * figure.dpi, "at most a quarter of an inch is left over"


def test_each_layer_has_its_name_above_the_number_of_images_above_each_panel_and_its_scores_below(corners):
    figure = plot(list("abcde"), *corners, note=NOTE)
    above, below = "20 training images", "20 held-out images"
    expected = [text for layer in "abcde" for text in (layer, above, below, CAPTION)]
    assert [text.get_text() for text in figure.texts] == [*expected, NOTE]
    FigureCanvasAgg(figure).draw()
    for number in range(5):
        name, *headers, caption = (text.get_window_extent() for text in figure.texts[4 * number : 4 * number + 4])
        panels = [axes.get_window_extent() for axes in figure.axes[2 * number : 2 * number + 2]]
        for header, box in zip(headers, panels, strict=True):
            assert -0.01 < header.y0 - box.y1 < 5, "in pixels"
        assert -0.01 < name.y0 - headers[0].y1 < 10 and 0 < panels[1].y0 - caption.y1 < 5
        for text in (name, *headers, caption):
            assert text.x0 + text.x1 == pytest.approx(panels[0].x0 + panels[0].x1, abs=2)
        texts = figure.texts[4 * number : 4 * number + 4]
        assert [text.get_size() for text in texts] == [8, 6.5, 6.5, pytest.approx(6.5, abs=0.5)]
        assert texts[0].get_weight() == "bold"


def test_names_and_captions_of_all_layers_have_one_size_in_which_the_longest_fits(corners):
    layers = ["a", "resnet50_conv4_block23_3_conv_relu", "c", "d"]
    captions = dict(zip(layers, ["short", "short", f"{CAPTION} and longer than the panel {20 * 'x'}", ""], strict=True))
    maps = {layer: {"": {"training images": corners[0]}} for layer in layers}
    captions = {layer: {"": caption} for layer, caption in captions.items()}
    figure = draw_panels(maps, {"training images": corners[1]}, NAMES, captions, "auto")
    names, below = figure.texts[::3], figure.texts[2::3]
    assert [text.get_text() for text in names] == layers and len({text.get_size() for text in names}) == 1
    assert 4 < names[0].get_size() < 7 and len({text.get_size() for text in below}) == 1 and below[0].get_size() < 5
    figure.set_dpi(DPI)
    assert max(text.get_window_extent().width for text in (*names, *below)) <= 1.75 * DPI


def test_number_of_images_has_a_comma():
    figure = plot(["a"], np.random.default_rng(0).normal(size=(1234, 2)), np.zeros(1234, int), [])
    assert [text.get_text() for text in figure.texts[1:3]] == ["1,234 training images", "1,234 held-out images"]


@pytest.mark.parametrize("panel", [0, 1])
def test_embeddings_have_the_colors_and_the_orientation_of_the_scatter_plot(
    corners, colors, render, quadrant_colors, panel
):
    """Of each class a point is beside its name."""
    coordinates, labels = corners
    figure = plot(["a"], coordinates + np.tile(np.linspace(-3, 3, 5), 4)[:, None], labels, palette=colors)
    left, bottom, right, top = (200 * np.array(figure.axes[panel].get_position().extents)).tolist()
    width, height = figure.get_size_inches()
    picture = render(figure, dpi=200)
    square = picture[-round(top * height) : -round(bottom * height), round(left * width) : round(right * width)]
    assert abs(len(square) - square.shape[1]) <= 1
    assert quadrant_colors(square) == [{name} for name in colors]


def test_classes_are_named_on_each_panel(corners):
    coordinates, labels = corners
    held_out = labels != 2
    maps = {"a": {"": {"training images": coordinates, "held-out images": coordinates[held_out]}}}
    by_group = {"training images": labels, "held-out images": labels[held_out]}
    training, other = draw_panels(maps, by_group, NAMES, {"a": {"": CAPTION}}, "auto").axes
    assert {text.get_text() for text in training.texts} == set("0123")
    assert {text.get_text() for text in other.texts} == set("013")
    assert {text.get_size() for text in training.texts} == {3.5 * 3}, "of a panel of 3.5 inches"
    many = plot(list("abcd"), *corners, names=["a class with a long name"] * 4).axes[0]
    assert {text.get_size() for text in many.texts} == {5.5}, "the smallest size"
    assert not plot(["a"], coordinates, 0 * labels, []).axes[0].texts


def test_rings_mark_the_misclassified_images_of_each_panel(corners, colors):
    wrong = {"training images": np.arange(20) == 7, "held-out images": np.isin(np.arange(20), [0, 19])}
    figure = plot(["a", "b"], *corners, palette=colors, wrong=wrong)
    rings = [[line for line in axes.lines if str(line.get_markeredgecolor()) == "black"] for axes in figure.axes]
    positions = [[tuple(np.ravel(line.get_data())) for line in each] for each in rings]
    assert positions == [[(10, -10)], [(-10, -10), (10, 10)]] * 2
    assert np.array_equal(rings[0][0].get_color(), [0, 1, 0]), "its label's color"
    without = plot(["a"], *corners, palette=colors)
    assert not any(str(line.get_markeredgecolor()) == "black" for axes in without.axes for line in axes.lines)


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
        ([f"{number} " + 80 * "x" for number in range(3)], 3),  # which are cut
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
    points = np.random.default_rng(0).normal(size=(80, 2))
    figure = plot(["a_$b$"], points, np.arange(80) % 40, names, caption="R² to $a^$ 0.90")
    FigureCanvasAgg(figure).draw()
    texts = figure.legends[0].get_texts()
    assert [text.get_text() for text in texts] == names and figure.texts[0].get_text() == "a_$b$"
    assert not any(text.get_parse_math() for text in (*texts, *figure.texts))


@pytest.mark.parametrize(("classes", "is_shown"), [(0, False), (1, True), (40, True), (41, False)])
def test_one_to_forty_classes_have_a_legend(classes, is_shown):
    labels = np.arange(82) % max(classes, 1)
    figure = plot(["a"], np.random.default_rng(0).normal(size=(82, 2)), labels, [f"n{k}" for k in range(classes)])
    assert bool(figure.legends) == is_shown


def test_layers_before_training_stand_above_those_after_it_in_the_same_frame(corners):
    coordinates, labels = corners
    after = dict.fromkeys(GROUPS, coordinates)
    maps = {"pixel": {"": after}, "conv1": {"after training": after, "before training": {GROUPS[0]: 3 * coordinates}}}
    captions = {"pixel": {"": "pixels"}, "conv1": {"after training": "after", "before training": "before"}}
    with matplotlib.rc_context(PAGE_STYLE):
        figure = draw_panels(maps, dict.fromkeys(GROUPS, labels), NAMES, captions, "auto")
    FigureCanvasAgg(figure).draw()
    bottoms = [round(axes.get_position().y0, 3) for axes in figure.axes]
    pixels, conv1 = bottoms[:2], bottoms[2:]
    assert len(conv1) == 3 and conv1 == sorted(conv1, reverse=True) and pixels == conv1[1:]
    assert len({axes.get_xlim() for axes in figure.axes[2:]}) == 1, "the same frame before and after"
    texts = {text.get_text(): text.get_position()[1] for text in figure.texts}
    assert texts["before training: 20 training images"] > texts["before"] > texts["after training: 20 training images"]
    assert texts["after"] == texts["pixels"] and "20 held-out images" in texts
