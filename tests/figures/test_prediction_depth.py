"""The figure of the prediction depth."""

import matplotlib
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from plot_prediction_depth import plot_prediction_depth, share_depths

from common.figures.style import PAGE_STYLE
from common.scoring.changes import Answers

LABELS = np.array([0, 1, 2, 0, 1])
STAGES = {
    "pixel": np.array([0, 1, 0, 1, 2]),  # right from here on: the first image; not: the second, which changes
    "$dense_1$": np.array([0, 0, 2, 1, 2]),
    "dense2": np.array([0, 1, 2, 1, 2]),
    "network": np.array([0, 1, 2, 1, 0]),  # wrong for the last two
}
LAYERS = list(STAGES)[:-1]


@pytest.fixture
def answers() -> Answers:
    return Answers("test", LABELS, STAGES)


def draw(answers: Answers | None, layers=LAYERS, **options):
    with matplotlib.rc_context(PAGE_STYLE):
        figure = plot_prediction_depth(answers, layers, **options)
        FigureCanvasAgg(figure).draw()
    return figure


def test_shares_count_the_first_layer_from_which_the_vote_equals_the_answer(answers):
    shares = share_depths(answers)
    assert {name: count for name, (count, _) in shares.items()} == {"right": 3, "wrong": 2}
    assert shares["right"][1].tolist() == pytest.approx([100 / 3, 100 / 3, 100 / 3, 0])
    assert shares["wrong"][1].tolist() == [50, 0, 0, 50]


def test_bars_are_the_shares_of_right_and_wrong_images(answers):
    (axes,) = draw(answers).axes
    heights = [[bar.get_height() for bar in bars] for bars in axes.containers]
    assert heights == [share.tolist() for _, share in share_depths(answers).values()]
    assert [label.get_text() for label in axes.get_xticklabels()] == [*LAYERS, "network"]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == [
        "3 images that the network gets right",
        "2 images that the network gets wrong",
    ]
    assert axes.get_xlabel() == "prediction depth, test images"
    (axes,) = draw(answers, noun="row").axes
    assert axes.get_xlabel() == "prediction depth, test rows" and axes.get_ylabel() == "rows (%)"


def test_network_without_errors_has_one_group(answers):
    right = Answers("train", STAGES["network"], STAGES)
    assert list(share_depths(right)) == ["right"] and len(draw(right).axes[0].containers) == 1


@pytest.mark.parametrize(
    ("answers", "text"),
    [
        (None, "The data set has no labels."),
        (Answers("test", LABELS, {"a": LABELS}), "There is no network that predicts these classes."),
    ],
)
def test_without_answers_the_figure_says_why(answers, text):
    assert draw(answers, ["a"]).texts[0].get_text() == text
