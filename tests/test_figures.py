"""The figures: what is drawn, where, in what color, and that their EPS open everywhere."""

import re
import subprocess
from dataclasses import replace

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from PIL import Image
from plot_filters import as_grid, plot_filters
from plot_history import plot_history
from plot_layers import plot_layers
from plot_scatter import STYLES, find_errors, plot_scatter
from plot_scores import PANELS, plot_scores
from plot_thumbnails import plot_thumbnails, thumbnail, thumbnail_scale
from scipy.spatial.distance import pdist
from skimage.color import deltaE_ciede2000, rgb2lab

from common.errors import UserError
from common.figures.style import SMALL, class_colors, frame, save_image
from helpers import FIGURES, system_program

# What a reader without one kind of cones sees, on linear RGB (Machado, Oliveira and Fernandes 2009, severity 1).
DICHROMACY = {
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}


def least_difference(colors: np.ndarray, cones: list[list[float]]) -> float:
    """The smallest CIEDE2000 difference between two of the colors as a reader with these cones sees them."""
    linear = np.where(colors <= 0.04045, colors / 12.92, ((colors + 0.055) / 1.055) ** 2.4)
    seen = np.clip(linear @ np.transpose(cones), 0, 1)
    seen = np.where(seen <= 0.0031308, seen * 12.92, 1.055 * seen ** (1 / 2.4) - 0.055)
    lab = rgb2lab(seen[None])[0]
    pairs = np.triu_indices(len(lab), 1)
    return deltaE_ciede2000(lab[pairs[0]], lab[pairs[1]]).min()


@pytest.mark.parametrize("kind", DICHROMACY)
def test_color_blind_readers_can_tell_the_default_colors_apart(kind):
    assert least_difference(class_colors("auto", 10), DICHROMACY[kind]) > 10
    assert least_difference(class_colors("tab10", 10), DICHROMACY["deuteranopia"]) < 10  # the measure can fail


def test_palettes():
    assert np.allclose(class_colors(["red", "#00ff00"], 2), [[1, 0, 0], [0, 1, 0]])
    assert class_colors("jet", 10).shape == (10, 3)
    with pytest.raises(UserError, match="petrof10"):
        class_colors("petrof10", 10)
    with pytest.raises(UserError, match="'#zz' is no color"):
        class_colors(["red", "#zz"], 2)
    with pytest.raises(UserError, match="2 colors for 3 classes"):
        class_colors(["red", "blue"], 3)
    with pytest.raises(UserError, match="10 colors for 11 classes"):
        class_colors("petroff10", 11)


@pytest.mark.parametrize(("classes", "apart"), [(11, 15), (26, 15), (100, 15), (300, 10), (1000, 6)])
def test_colors_of_many_classes_are_apart_and_can_be_read_on_white(classes, apart):
    places = rgb2lab(class_colors("auto", classes))
    assert len(places) == classes and pdist(places).min() > apart
    assert places[:, 0].min() > 30 and places[:, 0].max() < 85
    assert np.array_equal(class_colors("auto", classes)[:10], class_colors("petroff10", 10))
    assert pdist(rgb2lab(class_colors("hsv", 100))).min() < 6  # the measure can fail


def test_without_classes_all_have_one_color():
    for palette in ("auto", "jet", ["red"]):
        assert class_colors(palette, 0).shape == (1, 3)


@pytest.fixture
def corners():
    """Four classes, one in each corner: 0 below left, 1 below right, 2 above left, 3 above right."""
    coordinates = np.array([[-10, -10], [10, -10], [-10, 10], [10, 10]], np.float32)
    return np.repeat(coordinates, 5, axis=0), np.repeat(np.arange(4), 5)


COLORS = ["red", "lime", "blue", "black"]
NAMES = list("0123")


def in_quadrants(pixels: np.ndarray) -> list[set[str]]:
    """Which of COLORS are in a picture's quadrants, below left, below right, above left, above right."""
    half = len(pixels) // 2
    quadrants = pixels[half:, :half], pixels[half:, half:], pixels[:half, :half], pixels[:half, half:]
    return [
        {name for name in COLORS if (quadrant == np.multiply(255, to_rgb(name))).all(axis=-1).any()}
        for quadrant in quadrants
    ]


def render(figure, dpi) -> np.ndarray:
    figure.set_dpi(dpi)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[:, :, :3]


def test_scatter_and_thumbnails_have_the_same_colors_and_orientation(corners):
    coordinates, labels = corners
    expected = [{name} for name in COLORS]
    style = replace(STYLES["paper"], labels=False)
    scatter = render(plot_scatter(coordinates, labels, NAMES, COLORS, style, size=5), dpi=200)
    assert in_quadrants(scatter) == expected
    images = np.ones((20, 28, 28, 1), np.float32)
    picture, colors = plot_thumbnails(coordinates, images, labels, 4, COLORS, 600)
    assert in_quadrants(colors[picture]) == expected


def test_thumbnails_are_upright_and_centered_on_their_points(corners):
    coordinates, labels = corners
    images = np.zeros((20, 28, 28, 1), np.float32)
    images[:, :14, :14] = 1  # ink above left
    picture, colors = plot_thumbnails(coordinates, images, labels, 4, COLORS, 600)
    rows, columns = np.nonzero((colors[picture] == 0).all(axis=2))  # class 3, black, in the corner above right
    center, side = frame(coordinates)
    x, y = (coordinates[-1] - center) / side * 600 * [1, -1] + 300
    assert (columns.min(), columns.max()) == pytest.approx((x - 14, x - 1), abs=1)
    assert (rows.min(), rows.max()) == pytest.approx((y - 14, y - 1), abs=1)


def test_no_class_is_hidden_by_the_order_of_drawing():
    generator = np.random.default_rng(0)
    coordinates, labels = generator.normal(size=(3000, 2)), np.repeat(np.arange(3), 1000)
    pixels = render(plot_scatter(coordinates, labels, NAMES[:3], COLORS, STYLES["paper"], size=3), dpi=200)
    middle = pixels[200:400, 200:400].reshape(-1, 3)
    counts = [(middle == color).all(axis=1).sum() for color in np.eye(3, dtype=np.uint8) * 255]
    assert min(counts) > 0.7 * max(counts)


def test_no_class_is_hidden_among_thumbnails_either():
    generator = np.random.default_rng(0)
    coordinates, labels = generator.uniform(size=(6000, 2)), np.repeat(np.arange(3), 2000)
    images = np.ones((6000, 28, 28, 1), np.float32)
    picture, colors = plot_thumbnails(coordinates, images, labels, 3, COLORS, 600)
    counts = [(colors[picture] == color).all(axis=2).sum() for color in np.eye(3, dtype=np.uint8) * 255]
    assert min(counts) > 0.7 * max(counts)


def test_each_class_is_named_at_its_median(corners):
    coordinates, labels = corners
    texts = plot_scatter(coordinates, labels, NAMES, COLORS, STYLES["paper"], size=5).axes[0].texts
    assert [(text.get_text(), *text.get_position()) for text in texts] == [
        ("0", -10, -10),
        ("1", 10, -10),
        ("2", -10, 10),
        ("3", 10, 10),
    ]


def drawn_boxes(figure) -> dict[str, np.ndarray]:
    """Where the names in a scatter plot are, in pixels: left, bottom, right, top."""
    renderer = FigureCanvasAgg(figure).get_renderer()
    return {text.get_text(): np.array(text.get_window_extent(renderer).extents) for text in figure.axes[0].texts}


def overlap(boxes: np.ndarray) -> bool:
    """Whether any two boxes (n, 4) cover each other, by more than a rounding error."""
    low, high = boxes[:, :2] + 1e-3, boxes[:, 2:] - 1e-3
    both = ((low[:, None] < high) & (low < high[:, None])).all(axis=2)
    return bool(both[np.triu_indices(len(boxes), 1)].any())


LONG = ["$Ankle_boot", "n02119789 kit fox", "_", "$a^$", "great grey owl, great gray owl, Strix nebulosa"]


@pytest.mark.parametrize("names", [LONG, [f"class {number}" for number in range(26)]])
def test_names_that_would_cover_one_another_are_moved(names):
    labels = np.repeat(np.arange(len(names)), 10)
    heap = np.random.default_rng(0).normal(size=(len(labels), 2))
    heap[:20] += 30  # near the edge of the page
    boxes = drawn_boxes(plot_scatter(heap, labels, names, "auto", STYLES["paper"], size=7))
    assert sorted(boxes) == sorted(names), "none is left out, nor read as a formula"
    places = np.array(list(boxes.values()))
    assert not overlap(places) and places.min() >= -1e-3 and places.max() <= 700 + 1e-3


def test_of_very_many_names_those_of_the_largest_classes_are_written():
    names = [f"n{number:04} great grey owl" for number in range(1000)]
    generator = np.random.default_rng(0)
    labels = np.concatenate([np.arange(1000), np.repeat(np.arange(900, 920), 5)])
    figure = plot_scatter(generator.uniform(size=(1100, 2)), labels, names, "auto", STYLES["paper"], size=7)
    boxes = drawn_boxes(figure)
    assert 40 < len(boxes) < 200 and set(names[900:920]) <= set(boxes)
    assert not overlap(np.array(list(boxes.values())))
    assert [text.get_size() for text in figure.axes[0].texts] == pytest.approx([5.6] * len(boxes))


def test_without_labels_a_map_has_one_color_and_no_names(corners):
    coordinates, labels = corners
    axes = plot_scatter(coordinates, 0 * labels, [], "auto", STYLES["paper"], size=5).axes[0]
    assert not axes.texts and {tuple(line.get_color()) for line in axes.lines} == {tuple(class_colors("auto", 0)[0])}


def test_color_images_keep_their_colors_in_a_frame_of_their_classs(corners):
    coordinates, labels = corners
    bytes_ = np.random.default_rng(0).integers(256, size=(20, 28, 28, 3))
    picture, colors = plot_thumbnails(coordinates, (bytes_ / 256).astype(np.float32), labels, 4, COLORS, 600)
    assert colors is None and picture.shape == (600, 600, 3)
    last = np.random.default_rng(0).permutation(20)
    top = [row for row in last if labels[row] == 3][-1]  # in the corner above right
    center, side = frame(coordinates)
    x, y = (coordinates[top] - center) / side * 600 * [1, -1] + 300
    left, up = round(x) - 14, round(y) - 14
    assert np.array_equal(picture[up : up + 28, left : left + 28], bytes_[top])
    edge = picture[up - 2 : up + 30, left - 2 : left + 30].copy()
    edge[2:-2, 2:-2] = 0
    assert (edge == 0).all(), "black, the class's color"
    assert (picture[up - 3] == 255).all()


@pytest.mark.parametrize(
    ("shape", "canvas", "size"),
    [
        ((28, 28), 600, (28, 28)),
        ((8, 8), 3000, (24, 24)),
        ((224, 112), 3000, (50, 25)),
        ((64, 100), 600, (18, 28)),
        ((40, 20), 3000, (40, 20)),
        ((1, 1), 3000, (28, 28)),
    ],
)
def test_thumbnails_are_about_as_large_whatever_the_images(shape, canvas, size):
    image = np.full((*shape, 1), 0.5, np.float32)
    assert thumbnail(image, thumbnail_scale(*shape, canvas)).shape == (*size, 1)
    assert thumbnail(image, thumbnail_scale(*shape, canvas)) == pytest.approx(0.5)


def test_ink_of_very_many_classes_has_all_of_their_colors(corners):
    coordinates, labels = corners
    images = np.ones((20, 28, 28, 1), np.float32)
    picture, colors = plot_thumbnails(coordinates, images, 300 * labels, 1000, "auto", 600)
    seen = {tuple(color) for color in picture.reshape(-1, 3)}
    wanted = np.rint(255 * class_colors("auto", 1000)[[0, 300, 600, 900]])
    assert colors is None and seen == {(255, 255, 255), *map(tuple, wanted)}
    picture, colors = plot_thumbnails(coordinates, images, 10 * labels, 40, "auto", 600)
    assert picture.ndim == 2 and len(np.unique(picture)) == 5  # as few bytes as of ten
    picture, colors = plot_thumbnails(coordinates, images, 0 * labels, 0, "auto", 600)
    assert {tuple(color) for color in colors[picture].reshape(-1, 3)} == {(255, 255, 255), (77, 77, 77)}


@pytest.mark.parametrize("channels", [1, 3])
def test_eps_of_a_picture_shows_its_pixels(tmp_path, channels):
    generator = np.random.default_rng(0)
    colors = generator.integers(256, size=(256, 3), dtype=np.uint8) if channels == 1 else None
    pixels = generator.integers(256, size=(90, 60) if channels == 1 else (90, 60, 3), dtype=np.uint8)
    save_image(pixels, colors, tmp_path / "a.eps", tmp_path / "a.png", 300)
    wanted = pixels if colors is None else colors[pixels]
    assert np.array_equal(np.asarray(Image.open(tmp_path / "a.png").convert("RGB")), wanted)
    command = [system_program("gs", "ghostscript"), "-q", "-dSAFER", "-dBATCH", "-dNOPAUSE", "-dEPSCrop", "-r300"]
    command += ["-sDEVICE=png16m", "-o", tmp_path / "page.png", tmp_path / "a.eps"]
    result = subprocess.run(command, capture_output=True, text=True)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    page = np.asarray(Image.open(tmp_path / "page.png").convert("RGB"))[-90:, :60].astype(int)
    assert np.abs(page - wanted).mean() < 2


def test_notebook_style_is_the_notebooks(corners):
    figure = plot_scatter(*corners, NAMES, COLORS, STYLES["notebook"], size=None)
    assert tuple(figure.get_size_inches()) == (50, 50)
    lines = figure.axes[0].lines
    assert {line.get_markeredgecolor() for line in lines} == {"red"} and not figure.axes[0].texts
    assert {tuple(line.get_color()) for line in lines} == {tuple(color) for color in class_colors("jet", 4)}


def test_rings_mark_what_the_network_gets_wrong_but_not_in_the_notebooks_style(corners):
    coordinates, labels = corners
    predictions = {
        "train": pd.DataFrame({"label": labels, "prediction": labels}),
        "test": pd.DataFrame({"label": [3, 2, 1, 0], "prediction": [3, 2, 1, 0]}),
    }
    predictions["train"].loc[2, "prediction"] = 3
    predictions["test"].loc[2, "prediction"] = 3
    places = {"train": coordinates, "test": np.array([[1, 1], [2, 2], [3, 3], [4, 4]])}
    wrong = find_errors(predictions, places)
    assert wrong[0].tolist() == [[-10, -10], [3, 3]] and wrong[1].tolist() == [0, 1]

    def rings(style: str, wrong):
        lines = plot_scatter(coordinates, labels, NAMES, COLORS, STYLES[style], size=5, wrong=wrong).axes[0].lines
        return [line for line in lines if str(line.get_markeredgecolor()) == "black"]

    assert [tuple(line.get_color()) for line in rings("paper", wrong)] == [to_rgb("red"), to_rgb("lime")]
    assert not rings("paper", None) and not rings("notebook", wrong)
    other = {split: rows.assign(prediction=np.nan) for split, rows in predictions.items()}  # a network of other classes
    assert not rings("paper", find_errors(other, places))


def test_layers_stand_side_by_side_with_their_scores(corners):
    coordinates, labels = corners
    splits = {
        "train": {"knn_accuracy_map": 0.987, "knn_preservation_10": 0.4},
        "test": {"knn_accuracy_map": 0.9, "knn_preservation_10": 0.3},
    }
    maps, scores = (dict.fromkeys("abcde", value) for value in (coordinates, splits))
    figure = plot_layers(maps, labels, NAMES, scores, COLORS)
    places = [axes.get_position() for axes in figure.axes]
    assert len(places) == 5 and len({round(place.y0, 3) for place in places}) == 2, "four in a row"
    widths, heights = ([getattr(place, side) for place in places] for side in ("width", "height"))
    assert np.allclose(np.multiply(widths, figure.get_figwidth()), np.multiply(heights, figure.get_figheight()))
    texts = [text.get_text() for text in figure.texts]
    assert texts[::2] == list("abcde") and "98.70% (test 90.00%)" in texts[1] and "40% (test 30%)" in texts[1]
    one = render(plot_layers({"a": coordinates}, labels, NAMES, scores, COLORS), dpi=200)
    assert in_quadrants(one[36:736]) == [{name} for name in COLORS]


def test_layers_have_a_key_of_their_names_and_say_only_what_is_known():
    names = [f"_class ${number}" for number in range(40)]
    map_ = np.random.default_rng(0).normal(size=(80, 2))
    unseen = {
        "train": {"knn_accuracy_map": 0.9, "knn_preservation_10": 0.4},
        "test": {"rows": 0, "knn_accuracy_map": None, "knn_preservation_10": None},
    }
    figure = plot_layers({"a_$b": map_}, np.arange(80) % 40, names, {"a_$b": unseen}, "auto")
    FigureCanvasAgg(figure).draw()
    key = figure.legends[0]
    assert [text.get_text() for text in key.get_texts()] == names and not key.get_texts()[0].get_parse_math()
    box, captions = key.get_window_extent(), [text.get_window_extent() for text in figure.texts]
    assert box.width <= figure.bbox.width and box.y0 >= 0 and box.y1 <= captions[1].y0
    assert [text.get_text() for text in figure.texts] == ["a_$b", "labels right 90.00%\nneighbors kept 40%"]
    unknown = {
        "train": {"knn_accuracy_map": None, "knn_preservation_10": 0.4},
        "test": {"knn_accuracy_map": None, "knn_preservation_10": 0.3},
    }
    figure = plot_layers({"a": map_}, np.zeros(80, int), [], {"a": unknown}, "auto")
    assert figure.texts[1].get_text() == "neighbors kept 40% (test 30%)" and not figure.legends
    figure = plot_layers({"a": map_}, np.arange(80) % 41, [*names, "one more"], {"a": unknown}, "auto")
    assert not figure.legends


def score_table(layers: list[str], **unknown) -> pd.DataFrame:
    """The scores of layers, of which those in `unknown` are missing, and all of the test images."""
    columns = {name: 0.5 for panel in PANELS.values() for name in panel} | {"network_accuracy": np.nan} | unknown
    train = pd.DataFrame([{"layer": layer, "split": "train", "rows": 100, **columns} for layer in layers])
    nothing = dict.fromkeys(columns, np.nan)
    return pd.concat([train, train.assign(split="test", rows=0, **nothing)], ignore_index=True)


def test_scores_that_are_not_known_take_no_room():
    figure = plot_scores(score_table(["a", "b"]))
    assert [axes.get_title() for axes in figure.axes] == list(PANELS)
    assert not figure.legends, "there is one split, of which nothing needs to be said"
    for axes in figure.axes:
        assert {container.lines[0].get_markerfacecolor() for container in axes.containers}.isdisjoint({"white"})
    missing = dict.fromkeys(
        ["knn_accuracy_features", "knn_accuracy_map", "silhouette_features", "silhouette_map"], np.nan
    )
    figure = plot_scores(score_table(["a", "b"], **missing, trustworthiness=np.nan))
    assert [axes.get_title() for axes in figure.axes] == ["share of neighbors kept", "faithfulness of the map"]
    entries = [text.get_text() for text in figure.axes[1].get_legend().get_texts()]
    assert entries == ["continuity", "rank correlation\nof distances"]


@pytest.mark.parametrize("layers", [["block_1_expand_relu"] * 3, ["conv"] * 8, ["block_16_expand_relu"] * 20])
def test_names_of_many_layers_stand_apart(layers):
    with matplotlib.rc_context(SMALL):
        figure = plot_scores(score_table([f"{name}_{number}" for number, name in enumerate(layers)]))
        FigureCanvasAgg(figure).draw()
    for axes in figure.axes:
        names = axes.get_xticklabels()
        assert len(names) == len(layers)
        assert not overlap(np.array([name.get_window_extent().extents for name in names]))
        assert axes.get_window_extent().height > 100, "1 inch"


def test_scores_are_drawn_with_their_range():
    equal = [("equal", seed, 0.942333) for seed in range(3)]  # whose mean is not quite the same
    rows = [("pixel", None, 0.9), ("dense", 1, 0.98), ("dense", 2, 1.0), *equal]
    columns = {name: 0.5 for panel in PANELS.values() for name in panel} | {"rows": 100, "network_accuracy": 0.97}
    table = pd.DataFrame(
        [
            {"layer": layer, "split": split, "network_seed": seed, **columns, "knn_accuracy_map": accuracy}
            for layer, seed, accuracy in rows
            for split in ("train", "test")
        ]
    )
    axes = plot_scores(table).axes[0]
    bars = [container for container in axes.containers if np.ptp(container.lines[0].get_ydata()) > 0]
    assert len(bars) == 2
    means = bars[0].lines[0].get_ydata()
    assert means == pytest.approx([10, (2 + 0.5) / 2, 5.7667]), "nothing wrong is half an image wrong"
    low, high = bars[0].lines[1]
    assert (low.get_ydata()[1], high.get_ydata()[1]) == pytest.approx((0.5, 2))


def test_percentages_are_written_without_exponents():
    figure = plot_scores(
        score_table(["a", "b"], knn_accuracy_features=0.97, knn_accuracy_map=1)
    )  # 3 % and half an image
    figure.draw_without_rendering()
    axis = figure.axes[0].yaxis
    written = [label.get_text() for label in axis.get_ticklabels() + axis.get_ticklabels(minor=True)]
    assert any(text.startswith("0.") and text != "0.1" for text in written)
    assert not any("e" in text for text in written)


def test_history_marks_where_the_batches_change():
    history = pd.DataFrame({"epoch": [1, 2, 3], "batch_size": [64, 64, 512]})
    for name, value in (("loss", 0.5), ("accuracy", 0.9), ("val_loss", 0.4), ("val_accuracy", 0.95)):
        history[name] = value
    axes = plot_history(history).axes[1]
    assert [text.get_text() for text in axes.texts] == ["batches of 64", "batches of 512"]
    assert [line.get_xdata()[0] for line in axes.lines if len(line.get_xdata()) == 2] == [2.5]
    assert sorted(line.get_ydata()[0] for line in axes.lines if len(line.get_xdata()) == 3) == pytest.approx([5, 10])


def test_filters_stand_in_a_square_grid():
    filters = np.arange(5 * 5 * 1 * 20, dtype=np.float32).reshape(5, 5, 1, 20)
    grid = as_grid(filters)
    assert grid.shape == (23, 29)
    assert np.array_equal(grid[6:11, 12:17], filters[:, :, 0, 7])
    assert grid.mask[5].all() and grid.mask[:, 5].all() and not grid.mask[:5, :5].any()


def test_filters_of_color_images_are_colored():
    filters = np.random.default_rng(0).normal(size=(7, 7, 3, 5)).astype(np.float32)
    filters[..., 4] = 0
    figure = plot_filters(filters, 4)
    assert len(figure.axes) == 1, "no color bar"
    shown = figure.axes[0].collections[0].get_array().reshape(15, 23, 3)  # as_grid of three columns
    first, last = shown[:7, :7], shown[8:, 8:15]
    assert np.abs(first - 0.5).max() == pytest.approx(0.5)
    assert np.allclose((first - 0.5) * 2 * np.abs(filters[..., 0]).max(), filters[..., 0], atol=1e-6)
    assert (last == 0.5).all() and (shown[7] == 1).all()


def test_filters_of_many_channels_are_averaged():
    filters = np.random.default_rng(0).normal(size=(3, 3, 8, 4)).astype(np.float32)
    axes, bar = plot_filters(filters, 4).axes
    assert np.allclose(axes.collections[0].get_array().reshape(7, 7)[:3, :3], filters[..., 0].mean(axis=2), atol=1e-6)
    assert "mean" in bar.get_ylabel()


@pytest.mark.parametrize("name", sorted(FIGURES))
def test_eps_header_conforms(finished, name):
    text = (finished.folder / f"results/figures/{name}.eps").read_bytes()
    assert len(text) <= (200e3 if name.endswith("filters") else 6e6 if name.endswith("embed") else 2e6)
    assert text.isascii() and max(map(len, text.splitlines())) <= 255
    head, rest = text.decode().split("%%EndComments", 1)
    lines = head.splitlines()
    assert re.fullmatch(r"%!PS-Adobe-3\.\d EPSF-3\.0", lines[0])
    comments = dict(line.removeprefix("%%").split(": ", 1) for line in lines if line.startswith("%%"))
    box, exact = ([float(n) for n in comments[key].split()] for key in ("BoundingBox", "HiResBoundingBox"))
    assert box[:2] == [0, 0] and all(b >= e > b - 1 for b, e in zip(box[2:], exact[2:], strict=True))
    assert comments["Title"] == name
    assert rest.rstrip().endswith("%%EOF")


@pytest.mark.parametrize("name", sorted(FIGURES))
def test_eps_renders_without_a_warning_and_looks_like_its_twin(finished, name, tmp_path):
    ghostscript = system_program("gs", "ghostscript")
    eps, png = (finished.folder / f"results/figures/{name}.{suffix}" for suffix in ("eps", "png"))
    command = [ghostscript, "-q", "-dSAFER", "-dBATCH", "-dNOPAUSE", "-dEPSCrop", "-sDEVICE=png16m"]
    command += ["-r150", "-dGraphicsAlphaBits=4", "-dTextAlphaBits=4", "-o", tmp_path / "page.png", eps]
    result = subprocess.run(command, capture_output=True, text=True)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    page, twin = Image.open(tmp_path / "page.png").convert("RGB"), Image.open(png).convert("RGB")
    assert page.width / page.height == pytest.approx(twin.width / twin.height, rel=0.01)
    small = [np.asarray(image.resize((100, 100), Image.Resampling.BOX), float) for image in (page, twin)]
    assert np.abs(small[0] - small[1]).mean() < 4
    assert small[1].std() > 5  # something is drawn
