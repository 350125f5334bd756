"""The figure of the similarity of layers."""

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from plot_similarity import plot_similarity

from common.figures.matrices import MAX_NUMBERS, MAX_SMALL
from common.figures.style import PAGE_STYLE

NONE = float("nan")
STATES = [("pixel", NONE, NONE), ("conv1", NONE, 5), ("conv1", 0, 5), ("dense", NONE, 5), ("dense", 0, 5)]
ORDER = ["pixel", "conv1, before", "dense, before", "conv1", "dense"]


def make_table(states) -> pd.DataFrame:
    """Return a table of all pairs, with the linear CKA 0.01, 0.02 and so on, and half of it as overlap."""
    keys = ("layer", "epoch", "network_seed")
    rows = []
    for number, first in enumerate(states):
        for second in states[number + 1 :]:
            row = dict(zip((*keys, *(f"{key}_2" for key in keys)), (*first, *second), strict=True))
            rows.append(row | {"rows": 1234, "cka": 0.01 * (len(rows) + 1), "overlap": 0.005 * (len(rows) + 1)})
    return pd.DataFrame(rows, columns=[*keys, *(f"{key}_2" for key in keys), "rows", "cka", "overlap"])


def draw(table: pd.DataFrame, layers, **options):
    """Return the drawn figure."""
    with matplotlib.rc_context(PAGE_STYLE):
        figure = plot_similarity(table, layers, **options)
        FigureCanvasAgg(figure).draw()
    return figure


def read_numbers(axes) -> dict[tuple[str, str], float]:
    """Return the numbers in the cells by the names of their row and column."""
    rows, columns = (
        [label.get_text() for label in labels] for labels in (axes.get_yticklabels(), axes.get_xticklabels())
    )
    return {
        (rows[round(text.get_position()[1])], columns[round(text.get_position()[0])]): float(text.get_text())
        for text in axes.texts
    }


def test_layers_stand_in_order_before_and_after_training_below_the_diagonal():
    cka, overlap = draw(make_table(STATES), ["pixel", "conv1", "dense"]).axes
    assert [label.get_text() for label in cka.get_yticklabels()] == ORDER[1:]
    assert [label.get_text() for label in cka.get_xticklabels()] == ORDER[:-1]
    numbers = read_numbers(cka)
    assert len(numbers) == 10
    assert numbers["conv1", "pixel"] == 0.01 and numbers["conv1", "conv1, before"] == 0.05
    assert numbers["dense", "dense, before"] == 0.1 and numbers["dense, before", "pixel"] == 0.04
    assert read_numbers(overlap)["dense", "dense, before"] == 0.05
    assert [axes.get_title() for axes in (cka, overlap)] == ["linear CKA", "shared among the 10 nearest neighbors"]


def test_first_network_is_shown():
    second = [("conv1", NONE, 6), ("dense", NONE, 6)]
    table = make_table([*STATES, *second])
    assert [label.get_text() for label in draw(table, ["pixel", "conv1", "dense"]).axes[0].get_yticklabels()] == ORDER[
        1:
    ]


def test_without_a_control_or_a_network_there_are_only_the_layers():
    (cka, _) = draw(make_table([("a_$1$", NONE, NONE), ("b", NONE, NONE)]), ["a_$1$", "b"]).axes
    assert read_numbers(cka) == {("b", "a_$1$"): 0.01}


def test_without_a_pair_the_figure_says_so():
    figure = draw(make_table(STATES[:1]), ["pixel"], noun="row")
    assert figure.texts[0].get_text() == "There are no two layers whose features differ between rows."


@pytest.mark.parametrize("count", [2, MAX_SMALL, MAX_SMALL + 1, MAX_NUMBERS])
def test_numbers_fit_into_their_cells(text_boxes, count):
    names = [f"layer{number}" for number in range(count)]
    for axes in draw(make_table([(name, NONE, NONE) for name in names]), names).axes:
        assert len(axes.texts) == count * (count - 1) / 2
        boxes = text_boxes(axes.texts)
        width = axes.patch.get_window_extent().width / (count - 1)
        assert (boxes[:, 2] - boxes[:, 0] < width).all()


def test_many_layers_have_a_color_bar_instead_of_numbers():
    names = [f"layer{number}" for number in range(MAX_NUMBERS + 1)]
    cka, overlap, bar = draw(make_table([(name, NONE, NONE) for name in names]), names).axes
    assert not cka.texts and not overlap.texts and bar.get_ylim() == (0, 1)
    assert len(draw(make_table(STATES), ["pixel", "conv1", "dense"]).axes) == 2, "no color bar beside numbers"


def test_names_are_on_the_page_and_apart(text_boxes, overlap):
    figure = draw(make_table(STATES), ["pixel", "conv1", "dense"])
    texts = [text for axes in figure.axes for text in (*axes.get_xticklabels(), *axes.get_yticklabels(), axes.title)]
    boxes = text_boxes([*texts, *figure.texts])
    assert boxes.min() >= 0 and (boxes[:, 2] <= figure.bbox.width).all() and (boxes[:, 3] <= figure.bbox.height).all()
    assert not overlap(boxes)
    assert np.isfinite(boxes).all()
