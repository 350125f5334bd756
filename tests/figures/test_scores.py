"""The figure of the scores: panels, markers, ranges over the seeds, axes and names."""

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from plot_scores import choose_panels, error_rates, name_rotation, plot_scores

from common.figures.style import PAGE_STYLE, SPACE_COLORS
from common.scoring.scores import PANELS, SCORES

ERRORS, SILHOUETTES, SHARES, FAITHFULNESS = PANELS
LABELED = ["knn_accuracy_features", "knn_accuracy_map", "silhouette_features", "silhouette_map"]


def make_table(layers: list[str], splits=("train", "test"), **values) -> pd.DataFrame:
    """Return a table as compare_layers writes it, with 0.5 for each score that has no value here."""
    columns = dict.fromkeys(SCORES, 0.5) | {"network_accuracy": np.nan} | values
    return pd.DataFrame(
        [{"layer": layer, "split": split, "rows": 100, **columns} for layer in layers for split in splits]
    )


def plot(table: pd.DataFrame):
    """Return the figure in the style of the workflow."""
    with matplotlib.rc_context(PAGE_STYLE):
        return plot_scores(table)


def draw(table: pd.DataFrame):
    """Return the figure as it is when it is drawn, which takes longer."""
    figure = plot(table)
    with matplotlib.rc_context(PAGE_STYLE):
        FigureCanvasAgg(figure).draw()
    return figure


def read_legend(axes) -> list[str]:
    return [text.get_text() for text in axes.get_legend().get_texts()]


def test_each_panel_has_its_scores():
    figure = plot(make_table(["a", "b"]))
    assert [axes.get_title() for axes in figure.axes] == list(PANELS)
    for axes in figure.axes:
        scores = [score for score in SCORES.values() if score.panel == axes.get_title()]
        assert read_legend(axes) == [score.legend for score in scores]
        assert len(axes.containers) == 2 * len(scores), "for each split"


def test_scores_that_are_not_known_take_no_room():
    missing = dict.fromkeys([*LABELED, "trustworthiness"], np.nan)
    figure = plot(make_table(["a", "b"], **missing))
    assert [axes.get_title() for axes in figure.axes] == [SHARES, FAITHFULNESS]
    assert read_legend(figure.axes[1]) == ["continuity", "rank correlation\nof distances"]
    assert list(choose_panels(make_table(["a"], **missing))[SHARES]) == ["knn_preservation_10", "knn_preservation_30"]


def test_training_and_test_images_stand_side_by_side_filled_and_hollow():
    axes = plot(make_table(["a", "b"])).axes[2]
    lines = [container.lines[0] for container in axes.containers]
    for score, (train, test) in zip(("10", "30"), zip(lines[::2], lines[1::2], strict=True), strict=True):
        assert train.get_xdata().tolist() == pytest.approx([-0.12, 0.88])
        assert test.get_xdata().tolist() == pytest.approx([0.12, 1.12])
        assert train.get_marker() == test.get_marker() == SCORES[f"knn_preservation_{score}"].marker
        assert train.get_markerfacecolor() == train.get_color() == test.get_markeredgecolor() == SPACE_COLORS["map"]
        assert test.get_markerfacecolor() == "white"
    (legend,) = axes.figure.legends
    assert [text.get_text() for text in legend.get_texts()] == [
        "training images",
        "test images, which network and map have not seen",
    ]
    assert [to_hex(handle.get_markerfacecolor()) for handle in legend.legend_handles] == ["#000000", "#ffffff"]


@pytest.mark.parametrize("splits", [("train", "test"), ("train",)])
def test_without_test_images_nothing_is_said_of_splits(splits):
    table = make_table(["a", "b"], splits)
    table.loc[table.split == "test", list(SCORES)] = np.nan
    figure = plot(table)
    assert not figure.legends
    for container in figure.axes[2].containers:
        assert container.lines[0].get_markerfacecolor() != "white"
        assert container.lines[0].get_xdata().tolist() == [0, 1], "in the middle"
    assert len(figure.axes[2].containers) == 2


def test_features_and_map_have_their_colors():
    axes = plot(make_table(["a"])).axes[0]
    assert [container.lines[0].get_color() for container in axes.containers[::2]] == list(SPACE_COLORS.values())
    assert [handle.get_color() for handle in axes.get_legend().legend_handles] == list(SPACE_COLORS.values())
    assert [handle.get_marker() for handle in axes.get_legend().legend_handles] == ["s", "o"]


def test_accuracies_become_error_rates_and_no_error_is_half_an_image():
    rates = error_rates(pd.Series([0.9, 1.0, 0.998]), pd.Series([100, 100, 1000]))
    assert rates.tolist() == pytest.approx([10, 0.5, 0.2])


def test_score_is_drawn_with_its_range_over_the_seeds():
    equal = [("equal", seed, 0.942333) for seed in range(3)]  # whose mean differs in its last digit
    rows = [("pixel", None, 0.9), ("dense", 1, 0.98), ("dense", 2, 1.0), *equal]
    tables = [
        make_table([layer], knn_accuracy_map=accuracy, network_accuracy=0.97).assign(network_seed=seed)
        for layer, seed, accuracy in rows
    ]
    table = pd.concat(tables, ignore_index=True)
    axes = plot(table).axes[0]
    bars = [container for container in axes.containers if np.ptp(container.lines[0].get_ydata()) > 0]
    assert len(bars) == 2
    assert bars[0].lines[0].get_ydata() == pytest.approx([10, (2 + 0.5) / 2, 5.7667])
    low, high = bars[0].lines[1]
    assert (low.get_ydata()[1], high.get_ydata()[1]) == pytest.approx((0.5, 2))
    assert bars[0].lines[0].get_xdata().tolist() == pytest.approx([-0.12, 0.88, 1.88])


def test_line_marks_the_error_of_the_network_on_test_images():
    table = make_table(["a", "b"])
    table["network_accuracy"] = [1.0, 0.97, 1.0, 0.98]
    axes = plot(table).axes[0]
    (line,) = [line for line in axes.lines if line.get_color() == "black"]
    assert line.get_ydata() == pytest.approx([2.5, 2.5]) and line.get_linestyle() == "--"
    assert read_legend(axes)[-1] == "network, test"
    assert all("network" not in text for other in axes.figure.axes[1:] for text in read_legend(other))


@pytest.mark.parametrize("accuracy", [1.0, np.nan])
def test_network_without_errors_has_no_line_on_the_logarithmic_axis(accuracy):
    assert "network, test" not in read_legend(plot(make_table(["a"], network_accuracy=accuracy)).axes[0])


def test_only_error_rates_have_a_logarithmic_axis():
    scales = {axes.get_title(): axes.get_yscale() for axes in plot(make_table(["a"])).axes}
    assert scales == dict.fromkeys(PANELS, "linear") | {ERRORS: "log"}


@pytest.mark.parametrize("values", [(0.97, 1), (0.9, 0.99), (0.2, 0.999)])
def test_percentages_are_written_without_exponents(values):
    figure = draw(make_table(["a", "b"], knn_accuracy_features=values[0], knn_accuracy_map=values[1]))
    axis = figure.axes[0].yaxis
    shown = [label.get_text() for label in axis.get_ticklabels() + axis.get_ticklabels(minor=True)]
    numbers = [float(text) for text in shown if text]
    assert len(numbers) > 1 and not any("e" in text or "\\" in text for text in shown)


def test_narrow_range_of_error_rates_has_numbers_between_the_powers_of_ten():
    figure = draw(make_table(["a", "b"], knn_accuracy_features=0.97, knn_accuracy_map=1))
    shown = [label.get_text() for label in figure.axes[0].yaxis.get_ticklabels(minor=True)]
    assert {"0.6", "2", "3"} <= set(shown)


@pytest.mark.parametrize(
    ("layers", "angle"),
    [
        (["a", "b", "c"], 0),
        (["x" * 10] * 3, 0),
        (["x" * 10] * 2 + ["x" * 11], 90),
        (["a"] * 4, 30),
        (["a"] * 8, 30),
        (["a"] * 9, 90),
    ],
)
def test_names_are_turned_where_they_would_not_fit(layers, angle):
    assert name_rotation(layers) == angle


MANY = [["block_1_expand_relu"] * 3, ["conv"] * 8, ["block_16_expand_relu"] * 20]


@pytest.mark.parametrize("names", MANY, ids=["long", "eight", "many"])
def test_texts_of_many_layers_are_apart_and_panels_stay_large(names, text_boxes, overlap):
    layers = [f"{name}_{number}" for number, name in enumerate(names)]
    figure = draw(make_table(layers, network_accuracy=0.98))
    rows = {round(axes.get_position().y0, 2) for axes in figure.axes}
    assert len(rows) == (1 if len(layers) <= 8 else 2)
    gaps = []
    for axes in figure.axes:
        texts = axes.get_xticklabels()
        assert [text.get_text() for text in texts] == layers
        assert axes.get_xlim() == (-0.5, len(layers) - 0.5)
        legend, title, frame = (part.get_window_extent() for part in (axes.get_legend(), axes.title, axes))
        boxes = np.concatenate([text_boxes(texts), [box.extents for box in (legend, frame)]])
        assert not overlap(boxes)
        assert boxes.min() >= 0 and (boxes[:, 2:] <= figure.bbox.size).all() and title.y1 <= figure.bbox.y1
        assert 130 < frame.height < 230, "about 2 inches"
        gaps.append(title.y0 - legend.y1)
    assert -1 < min(gaps) < 2, "the title stands on the longest legend"


def test_figure_is_as_wide_as_a_page_and_as_high_as_its_rows():
    heights = {}
    for count in (3, 8, 9):
        figure = plot(make_table(list("abcdefghi"[:count])))
        assert figure.get_figwidth() == 7
        heights[count] = figure.get_figheight()
    assert heights[3] == heights[8] and heights[9] > 2 * heights[8]


def test_odd_number_of_panels_leaves_no_empty_axes():
    figure = plot(
        make_table([f"layer{number}" for number in range(9)], silhouette_features=np.nan, silhouette_map=np.nan)
    )
    assert [axes.get_title() for axes in figure.axes] == [ERRORS, SHARES, FAITHFULNESS]


def test_name_of_a_layer_is_not_read_as_a_formula():
    axes = plot(make_table(["$a^$", "b"])).axes[0]
    assert [text.get_text() for text in axes.get_xticklabels()] == ["$a^$", "b"]
