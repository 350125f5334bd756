"""The figures of what turns from wrong to right, and back, from layer to layer: the flow, and the images."""

from itertools import pairwise

import matplotlib
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from plot_flow import plot_flow
from plot_flow_images import COLUMNS, GAP, MAX_NAME, plot_flow_images

from common.figures.class_names import shorten
from common.figures.style import DPI, FLOW_COLORS, PAGE_STYLE, PAGE_WIDTH
from common.scoring.changes import Answers

COUNTS = [(100, 30, 10), (80, 75, 0), (5, 0, 0)]  # wrong answers of a stage, and what the next corrects and breaks
LAYERS = ["pixel", "$conv_1$", "dense3"]


def make_answers(counts=COUNTS, names=(*LAYERS, "network"), images: int = 2000, split="test") -> Answers:
    """Return answers with these counts; the right one is 0, and a wrong one the number of the stage + 1."""
    wrong, stages = np.arange(counts[0][0]), [np.arange(counts[0][0])]
    for _, corrected, broken in counts:
        rest = np.setdiff1d(np.arange(images), wrong)
        wrong = np.concatenate([wrong[corrected:], rest[:broken]])
        stages.append(wrong)
    answers = {name: np.zeros(images, int) for name in names}
    for number, (answer, rows) in enumerate(zip(answers.values(), stages, strict=False)):
        answer[rows] = number + 1
    return Answers(split, np.zeros(images, int), answers)


def draw(answers: Answers | None, layers=LAYERS, noun="image"):
    """Return the drawn figure of the flow."""
    with matplotlib.rc_context(PAGE_STYLE):
        figure = plot_flow(answers, layers, noun)
        figure.set_dpi(DPI)
        FigureCanvasAgg(figure).draw()
    return figure


def read_texts(axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


def read_extent(collection) -> list[float]:
    """Return the left and right end of a ribbon, and the lower and upper end at each of them."""
    points = collection.get_paths()[0].vertices
    left, right = points[:, 0].min(), points[:, 0].max()
    ends = [points[points[:, 0] == x, 1] for x in (left, right)]
    return [left, right, *(value for end in ends for value in (end.min(), end.max()))]


def test_numbers_of_each_change_and_of_each_stage_are_written():
    (axes,) = draw(make_answers()).axes
    assert read_texts(axes) == [
        *("30 corrected", "10 broken", "70 stay wrong"),
        *("75 corrected", "0 broken", "5 stay wrong"),
        *("0 corrected", "0 broken", "5 stay wrong"),
        "right",
    ]
    assert [text.get_text() for text in axes.get_xticklabels()] == [
        "pixel\n100 wrong (5 %)",
        "$conv_1$\n80 wrong (4 %)",
        "dense3\n5 wrong (0.25 %)",
        "network\n5 wrong (0.25 %)",
    ]
    assert axes.get_xlabel() == "2,000 test images. Answer of a layer: vote of the 10 nearest training images."
    (axes,) = draw(make_answers(split="train"), noun="row").axes
    assert axes.get_xlabel() == "2,000 training rows. Answer of a layer: vote of the 10 nearest training rows."


@pytest.mark.parametrize(
    ("wrong", "text"), [(0, "0 wrong (0 %)"), (999, "999 wrong (99.9 %)"), (1000, "1,000 wrong (100 %)")]
)
def test_share_of_wrong_answers_is_written_without_an_exponent(wrong, text):
    axes = draw(make_answers([(wrong, 0, 0)], ["a", "b"], 1000, "train")).axes[0]
    shown = axes.get_xticklabels()[0].get_text()
    assert shown == f"a\n{text}" and axes.get_xlabel().startswith("1,000 training images.")


def test_ribbons_are_as_high_as_their_counts():
    """Wrong answers that stay run at the foot; corrected ones rise to the band of right answers, broken ones fall."""
    axes = draw(make_answers()).axes[0]
    ribbons = {kind: [] for kind in (*FLOW_COLORS, "bar")}
    kinds = {color: kind for kind, color in FLOW_COLORS.items()} | {"#000000": "bar"}
    for collection in axes.collections:
        ribbons[kinds[to_hex(collection.get_facecolor()[0])]].append(read_extent(collection))
    assert np.allclose(
        ribbons["wrong"], [[0.06, 0.94, 0, 70, 0, 70], [1.06, 1.94, 0, 5, 0, 5], [2.06, 2.94, 0, 5, 0, 5]]
    )
    assert np.allclose(ribbons["corrected"][:2], [[0.06, 0.5, 70, 100, 105, 135], [1.06, 1.5, 5, 80, 60, 135]])
    assert np.allclose(ribbons["broken"][0], [0.5, 0.94, 125, 135, 70, 80])
    assert np.allclose([bar[3] for bar in ribbons["bar"]], [100, 80, 5, 5])
    (band,) = axes.lines
    assert list(band.get_ydata()) == [135, 135]


def test_answers_that_are_all_right_have_a_figure():
    (axes,) = draw(make_answers([(0, 0, 0)], ["a", "b"])).axes
    assert read_texts(axes) == ["0 corrected", "0 broken", "right"]


MANY = {
    "default": ["pixel", "conv1", "conv2", "dense3", "network"],
    "nine": [*(f"conv{number}" for number in range(9)), "network"],
    "many": [*(f"block_{number}_expand_relu" for number in range(20)), "network"],
    "long": [f"resnet50_conv4_block{number}_3_conv_relu" for number in range(7)],
}


@pytest.mark.parametrize("names", MANY.values(), ids=MANY)
def test_texts_of_many_stages_are_apart_and_on_the_page(names, text_boxes, overlap):
    counts = [(12_345 - 100 * number, 1100, 1000) for number in range(len(names) - 1)]
    figure = draw(make_answers(counts, names, 100_000), names[:-1])
    boxes = np.concatenate(
        [text_boxes([*axes.texts, *axes.get_xticklabels(), axes.xaxis.label]) for axes in figure.axes]
    )
    boxes = boxes[boxes[:, 2] > boxes[:, 0]]  # without empty texts
    assert not overlap(boxes)
    assert boxes.min() >= 0 and (boxes[:, 2:] <= figure.bbox.size).all() and figure.get_figwidth() == PAGE_WIDTH
    assert min(text.get_size() for axes in figure.axes for text in axes.get_xticklabels()) > 3.5


@pytest.mark.parametrize(
    ("stages", "rows"), [(2, [2]), (7, [7]), (8, [5, 4]), (10, [6, 5]), (14, [6, 6, 4]), (21, [6, 6, 6, 6])]
)
def test_stages_stand_in_rows_that_begin_with_the_last_stage_of_the_row_before(stages, rows):
    names = [f"s{number}" for number in range(stages)]
    figure = draw(make_answers([(10, 1, 1)] * (stages - 1), names), names)
    shown = [[text.get_text().split("\n")[0] for text in axes.get_xticklabels()] for axes in figure.axes]
    assert [len(row) for row in shown] == rows and figure.get_figheight() == 3 * len(rows)
    assert [name for number, row in enumerate(shown) for name in row[number > 0 :]] == names
    assert all(row[0] == before[-1] for before, row in pairwise(shown))
    assert len({(*axes.get_xlim(), *axes.get_ylim()) for axes in figure.axes}) == 1, "in the same scale"


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        (None, "The data set has no labels."),
        (make_answers([(3, 0, 0)], ["$a^$"]), "$a^$ is the only layer."),
    ],
)
def test_a_sentence_says_why_there_is_no_flow(answers, sentence):
    images = np.zeros((2000, 8, 8, 1), np.float32)
    for figure in (plot_flow(answers, ["$a^$"], "image"), plot_flow_images(answers, images, ["0"], ["$a^$"])):
        FigureCanvasAgg(figure).draw()
        assert not figure.axes and [text.get_text() for text in figure.texts] == [sentence]
        assert not figure.texts[0].get_parse_math()


def number_images(images: int, channels: int = 1) -> np.ndarray:
    """Return images, each of its own gray: that of row r is r / images."""
    return np.broadcast_to(np.arange(images)[:, None, None, None] / images, (images, 8, 6, channels))


def draw_images(answers: Answers, images=None, classes=tuple("0123456789")):
    """Return the drawn figure of the images."""
    images = number_images(len(answers.labels)) if images is None else images
    with matplotlib.rc_context(PAGE_STYLE):
        figure = plot_flow_images(answers, images, classes, LAYERS)
        figure.set_dpi(DPI)
        FigureCanvasAgg(figure).draw()
    return figure


def read_rows(figure, images: int) -> list[list[int]]:
    """Return the numbers of the images in each row of a figure, from its top."""
    rows = {}
    for axes in figure.axes:
        rows.setdefault(round(axes.get_position().y0, 6), []).append(round(axes.images[0].get_array().max() * images))
    return list(rows.values())


def test_images_of_each_change_stand_under_its_name_and_above_their_answers():
    answers = make_answers([(4, 3, 2), (3, 0, 0)], ["pixel", "$conv_1$", "network"], 100)
    figure = draw_images(answers)
    assert read_rows(figure, 100) == [[0, 1, 2], [4, 5]]
    assert [text.get_text() for text in figure.texts] == [
        *("pixel → $conv_1$: 3 corrected", "1 → 0", "1 → 0", "1 → 0"),
        *("pixel → $conv_1$: 2 broken", "0 → 2", "0 → 2"),
        "$conv_1$ → network: 0 corrected",
        "$conv_1$ → network: 0 broken",
    ]
    headers = [text for text in figure.texts if ":" in text.get_text()]
    assert [text.get_color() for text in headers] == [FLOW_COLORS["corrected"], FLOW_COLORS["broken"]] * 2
    assert not any(text.get_parse_math() for text in figure.texts)


def test_of_many_images_some_are_drawn_at_random_but_always_the_same():
    answers = make_answers([(200, 150, 14)], ["a", "b"])
    corrected, broken = read_rows(draw_images(answers), 2000)
    assert len(corrected) == len(set(corrected)) == COLUMNS == 14 and corrected == sorted(corrected)
    assert max(corrected) < 150 and corrected != list(range(14)), "from all that are corrected"
    assert broken == list(range(200, 214)), "all of those"
    figure = draw_images(answers)
    assert read_rows(figure, 2000)[0] == corrected
    headers = [text.get_text() for text in figure.texts if ":" in text.get_text()]
    assert headers == ["a → b: 150 corrected, 14 shown", "a → b: 14 broken"]


def test_texts_and_images_are_apart_and_on_the_page(text_boxes, overlap):
    answers = make_answers([(200, 150, 140), (190, 0, 9)], ["a", "b", "c"])
    figure = draw_images(answers, classes=["n02119789", "automobile", "great grey owl", "$Ankle_boot"])
    boxes = [*text_boxes(figure.texts), *(axes.get_window_extent().extents for axes in figure.axes)]
    assert not overlap(np.array(boxes)) and figure.get_figwidth() == PAGE_WIDTH
    assert np.min(boxes) >= 0 and (np.array(boxes)[:, 2:] <= figure.bbox.size).all()
    assert {text.get_text() for text in figure.texts} >= {"automobi…\n→ n02119789", "n02119789\n→ great gr…"}
    heights = [axes.get_position().height * figure.get_figheight() for axes in figure.axes]
    assert heights == pytest.approx([PAGE_WIDTH / COLUMNS - GAP] * len(heights))


@pytest.mark.parametrize(
    ("name", "short"), [("0", "0"), ("automobil", "automobil"), ("automobile", "automobi…"), ("", "")]
)
def test_long_class_names_are_shortened(name, short):
    assert shorten(name, MAX_NAME) == short


@pytest.mark.parametrize("channels", [1, 3])
def test_gray_images_have_dark_ink_and_color_images_their_colors(channels):
    answers = make_answers([(1, 1, 0)], ["a", "b"], 4)
    images = np.zeros((4, 8, 8, channels), np.float32)
    images[0, :4] = 1.5 if channels == 1 else [1, 0.5, -0.2]
    (axes,) = draw_images(answers, images).axes
    shown = axes.images[0].to_rgba(axes.images[0].get_array())[..., :3]
    assert np.allclose(shown[0, 0], 0 if channels == 1 else [1, 0.5, 0]) and np.allclose(shown[-1, 0], channels == 1)
    assert not axes.axison


@pytest.mark.parametrize(("side", "kind"), [(64, "none"), (65, matplotlib.rcParams["image.interpolation"])])
def test_eps_has_small_images_pixel_by_pixel_and_large_ones_reduced(side, kind):
    answers = make_answers([(1, 1, 0)], ["a", "b"], 4)
    (axes,) = draw_images(answers, np.zeros((4, 8, side, 1), np.float32)).axes
    assert axes.images[0].get_interpolation() == kind
