"""The figure of the scores by split: panels, markers, intervals, axes and names."""

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from plot_splits import CURVES, ERRORS, METRICS, OTHERS, plot_splits

from common.figures.score_axes import as_error, log_ticks, name_rotation
from common.figures.style import PAGE_STYLE, SPACE_COLORS
from common.names import SPLITS
from common.scoring.scores import SCORES

FEATURES, MAP = ERRORS.values()
ROWS = {"train": 50_000, "validation": 10_000, "test": 9_000}
LABELED = ["knn_accuracy_features", "knn_accuracy_map", "silhouette_features", "silhouette_map"]
COUNTS = (1, 2, 5, 10, 50)


def make_summary(layers: list[str], network: float | None = None, unknown=(), **means: float) -> dict:
    """Return a summary as compare_layers writes it: means of 0.9 or those given here, with intervals of +-0.05."""
    entry = {}
    for score in set(SCORES) - {"network_accuracy", *unknown}:
        mean = means.get(score, 0.9)
        entry[score] = {"mean": mean, "low": mean - 0.05, "high": min(1, mean + 0.05)}
    accuracy = {} if network is None else {"network_accuracy": {"mean": network, "low": None, "high": None}}
    layers = {layer: {split: {**entry} for split in SPLITS} for layer in layers}
    return {"network": {"train": {}, "validation": {}, "test": accuracy}, "layers": layers}


def make_knn(layers: list[str], splits=SPLITS) -> pd.DataFrame:
    """Return a table of the accuracies by number of voters: 0.9, 0.91, ... for the layers, cosine 0.01 less."""
    rows = [
        (layer, split, metric, k, 0.9 + 0.01 * number - 0.01 * (metric == "cosine") - 0.0001 * k)
        for number, layer in enumerate(layers)
        for split in splits
        for metric in METRICS
        for k in COUNTS
    ]
    return pd.DataFrame(rows, columns=["layer", "split", "metric", "k", "accuracy"]).assign(epoch=np.nan)


def plot(summary: dict, knn: pd.DataFrame | None = None, rows=ROWS, noun="image"):
    """Return the figure in the style of the workflow."""
    with matplotlib.rc_context(PAGE_STYLE):
        return plot_splits(summary, make_knn(list(summary["layers"])) if knn is None else knn, rows, noun)


def draw(*arguments):
    """Return the figure as it is when it is drawn, which takes longer."""
    figure = plot(*arguments)
    with matplotlib.rc_context(PAGE_STYLE):
        FigureCanvasAgg(figure).draw()
    return figure


def find_panels(figure) -> dict:
    """Return the axes of a figure by title."""
    return {axes.get_title(): axes for axes in figure.axes}


def read_texts(legend) -> list[str]:
    return [text.get_text() for text in legend.get_texts()]


def read_ticks(axes) -> list[str]:
    """Return the numbers on the y axis, within its limits."""
    low, high = axes.get_ylim()
    pairs = zip(axes.get_yticks(), axes.get_yticklabels(), strict=True)
    return [label.get_text() for tick, label in pairs if low <= tick <= high]


def test_accuracy_becomes_an_error_rate_whose_interval_is_reversed():
    assert as_error({"mean": 0.9, "low": 0.85, "high": 1.0}) == pytest.approx({"mean": 10, "low": 0, "high": 15})
    assert as_error({"mean": 1.0, "low": None, "high": None}) == {"mean": 0, "low": None, "high": None}


def test_figure_has_a_panel_for_each_score_and_the_curves():
    curves = f"{CURVES}, test images"
    assert [axes.get_title() for axes in plot(make_summary(["a", "b"])).axes] == [
        FEATURES,
        MAP,
        curves,
        *OTHERS.values(),
    ]


def test_scores_that_no_layer_has_get_no_panel():
    figure = plot(make_summary(["a", "b"], unknown=[*LABELED, "continuity"]), make_knn([]))
    assert list(find_panels(figure)) == [
        OTHERS[score] for score in ("knn_preservation_10", "trustworthiness", "distance_correlation")
    ]
    summary = make_summary(["a", "b"])
    del summary["layers"]["a"]["test"]["continuity"]
    marks = find_panels(plot(summary))[OTHERS["continuity"]].containers
    assert [mark.lines[0].get_xdata().tolist() for mark in marks] == [[-0.2, 0.8], [0, 1], [1.2]]


def test_splits_have_full_half_full_and_hollow_markers_side_by_side():
    axes = find_panels(plot(make_summary(["a", "b"])))[MAP]
    marks = [container.lines[0] for container in axes.containers]
    assert [mark.get_fillstyle() for mark in marks] == ["full", "left", "none"]
    assert np.allclose([mark.get_xdata() for mark in marks], [[-0.2, 0.8], [0, 1], [0.2, 1.2]])
    assert {mark.get_color() for mark in marks} == {SPACE_COLORS["map"]}


def test_one_split_stands_in_the_middle():
    rows = {"train": 500, "validation": 0, "test": 0}
    figure = plot(make_summary(["a", "b"]), make_knn(["a", "b"], ["train"]), rows, "row")
    (mark,) = find_panels(figure)[MAP].containers
    assert mark.lines[0].get_xdata().tolist() == [0, 1] and mark.lines[0].get_fillstyle() == "full"
    assert f"{CURVES}, training rows" in find_panels(figure)
    assert read_texts(figure.legends[0]) == ["500 training rows", "95 % interval"]


@pytest.mark.parametrize(
    ("score", "space", "mean", "low", "high"),
    [
        ("knn_accuracy_features", "features", 10, 5, 15),
        ("knn_accuracy_map", "map", 10, 5, 15),
        ("knn_preservation_10", "map", 90, 85, 95),
        ("trustworthiness", "map", 0.9, 0.85, 0.95),
    ],
)
def test_bars_are_the_intervals(score, space, mean, low, high):
    axes = find_panels(plot(make_summary(["a", "b"])))[(ERRORS | OTHERS)[score]]
    assert axes.get_ylim()[0] < low and high < axes.get_ylim()[1] and len(axes.containers) == 3
    for mark in axes.containers:
        line, _, (bars,) = mark.lines
        assert line.get_ydata() == pytest.approx([mean] * 2) and line.get_color() == SPACE_COLORS[space]
        assert np.array(bars.get_segments())[:, :, 1] == pytest.approx(np.array([[low, high]] * 2))


def test_score_without_an_interval_has_no_bar():
    summary = make_summary(["a"])
    summary["layers"]["a"]["test"]["continuity"] = {"mean": 0.9, "low": None, "high": None}
    *_, mark = find_panels(plot(summary))[OTHERS["continuity"]].containers
    assert np.ptp(mark.lines[2][0].get_segments()[0][:, 1]) == 0


def test_legend_has_the_number_of_images_of_each_split_and_the_meaning_of_the_bars_and_the_line():
    expected = ["50,000 training images", "10,000 validation images", "9,000 test images", "95 % interval"]
    figures = [plot(make_summary(["a"], network)) for network in (None, 1, 0.98)]
    assert [read_texts(figure.legends[0]) for figure in figures] == [
        expected,
        expected,
        [*expected, "error of the network, test"],
    ]
    assert [handle.get_fillstyle() for handle in figures[0].legends[0].legend_handles[:3]] == ["full", "left", "none"]


@pytest.mark.parametrize("accuracy", [0.98, 0.9999, 0.3])
def test_line_marks_the_error_of_the_network_wherever_it_is(accuracy):
    panels = find_panels(plot(make_summary(["a", "b"], accuracy)))
    dashed = {
        title: [line for line in axes.lines if str(line.get_color()) == "black"] for title, axes in panels.items()
    }
    assert [title for title, lines in dashed.items() if lines] == [FEATURES]
    (line,) = dashed[FEATURES]
    low, high = panels[FEATURES].get_ylim()
    assert line.get_ydata() == pytest.approx([100 * (1 - accuracy)] * 2) and line.get_linestyle() == "--"
    assert low < line.get_ydata()[0] < high


def set_accuracies(summary: dict, score: str, means: list[float]) -> dict:
    """Return a summary with other means of a score by layer, without intervals."""
    for entry, mean in zip(summary["layers"].values(), means, strict=True):
        for split in SPLITS:
            entry[split][score] = {"mean": mean, "low": None, "high": None}
    return summary


@pytest.mark.parametrize(
    ("accuracies", "numbers"),
    [
        ((0.97, 0.97), ["3"]),
        ((0.95, 0.9), ["4", "5", "7", "10"]),
        ((0.985, 0.85), ["2", "3", "5", "10"]),
        ((0.9, 0.999), ["0.1", "0.3", "1", "3", "10"]),
        ((0.5, 0.9999), ["0.01", "0.1", "1", "10"]),
    ],
)
def test_error_rates_have_a_logarithmic_axis_with_few_round_numbers(accuracies, numbers):
    axes = find_panels(plot(set_accuracies(make_summary(["a", "b"]), "knn_accuracy_map", accuracies)))[MAP]
    assert axes.get_yscale() == "log" and not len(axes.yaxis.get_minorticklocs())
    assert read_ticks(axes) == numbers
    assert axes.get_ylim()[0] < 100 * (1 - max(accuracies)) and axes.get_ylim()[1] > 100 * (1 - min(accuracies))


@pytest.mark.parametrize("values", [0.001, 0.0123, 0.34, 1.35, 7.7, 99])
def test_equal_error_rates_have_a_number_on_their_axis(values):
    assert len(log_ticks(values / 1.3, values * 1.3)) >= 1


def test_no_error_has_a_place_of_its_own_below_the_logarithmic_axis():
    axes = find_panels(plot(set_accuracies(make_summary(["a", "b"]), "knn_accuracy_map", [0.98, 1])))[MAP]
    assert axes.get_yscale() == "symlog" and read_ticks(axes) == ["0", "2"]
    places = axes.transData.transform([(0, value) for value in (0, 2, 0.02)])[:, 1]
    assert places[0] > axes.bbox.y0 and places[1] - places[0] > 0.3 * axes.bbox.height
    assert places[2] - places[0] < 0.02 * axes.bbox.height, "linear between 0 and the first number"


def test_scores_without_any_error_have_an_axis_from_zero():
    axes = find_panels(plot(set_accuracies(make_summary(["a", "b"]), "knn_accuracy_map", [1, 1])))[MAP]
    assert axes.get_yscale() == "linear" and axes.get_ylim() == (-0.1, 1)


def test_only_error_rates_have_a_logarithmic_axis():
    scales = {title: axes.get_yscale() for title, axes in find_panels(plot(make_summary(["a"]))).items()}
    assert scales == dict.fromkeys(OTHERS.values(), "linear") | dict.fromkeys(
        [FEATURES, MAP, f"{CURVES}, test images"], "log"
    )


def test_curves_are_the_errors_over_the_voters_of_each_layer_and_metric_after_training_on_the_last_split():
    knn = make_knn(["a", "b"])
    other = knn.assign(accuracy=knn.accuracy - 0.02)  # of another network
    other.loc[other.split != "test", "accuracy"] = 0.1
    before = knn.assign(epoch=0, accuracy=0.5)
    axes = find_panels(plot(make_summary(["a", "b"]), pd.concat([knn, other, before])))[f"{CURVES}, test images"]
    first = np.array([11 + 0.01 * k for k in COUNTS])
    expected = [first - one + (metric == "cosine") for one in (0, 1) for metric in METRICS]
    assert np.allclose([line.get_ydata() for line in axes.lines], expected)
    assert all(line.get_xdata().tolist() == list(COUNTS) for line in axes.lines)
    assert [line.get_linestyle() for line in axes.lines] == ["-", "--", ":"] * 2
    assert len({tuple(line.get_color()) for line in axes.lines[:3]}) == 1 and axes.get_xscale() == "log"
    assert read_texts(axes.get_legend()) == ["a", "b", "Euclidean", "cosine", "50 components"]
    colors = [tuple(handle.get_color()) for handle in axes.get_legend().legend_handles[:2]]
    assert colors == [tuple(line.get_color()) for line in axes.lines[::3]] and colors[0] != colors[1]


def test_small_data_set_has_curves_up_to_its_number_of_voters():
    knn = make_knn(["a"]).query("k < 10")
    axes = find_panels(plot(make_summary(["a"]), knn))[f"{CURVES}, test images"]
    assert axes.get_xticks().tolist() == [1, 2, 5]


@pytest.mark.parametrize(
    ("layers", "width", "angle"),
    [(["a", "b"], 1, 0), (["x" * 7] * 2, 1, 0), (["x" * 8] * 2, 1, 90), (["a"] * 8, 1, 0), (["a"] * 9, 5, 90)],
)
def test_names_are_turned_where_they_would_not_fit(layers, width, angle):
    assert name_rotation(layers, width) == angle


NAMES = {
    "one": ["pixel"],
    "default": ["pixel", "conv1", "conv2", "dense3"],
    "long": [f"resnet50_conv4_block{number}_3_conv_relu" for number in range(3)],
    "eight": [f"conv_{number}" for number in range(8)],
    "nine": [f"conv_{number}" for number in range(9)],
    "many": [f"block_{number}_expand_relu" for number in range(20)],
}


@pytest.mark.parametrize("layers", NAMES.values(), ids=NAMES)
def test_texts_are_apart_and_on_the_page_and_panels_stay_large(layers, text_boxes, overlap):
    figure = draw(make_summary(layers, 0.98), None, {"train": 1_281_167, "validation": 50_000, "test": 100_000})
    panels, boxes = find_panels(figure), [figure.legends[0].get_window_extent().extents]
    for title, axes in panels.items():
        names = axes.get_xticklabels()
        if not title.startswith(CURVES):
            assert [text.get_text() for text in names] == layers and axes.get_xlim() == (-0.5, len(layers) - 0.5)
        boxes += [*text_boxes(names), *text_boxes([axes.title]), axes.get_window_extent().extents]
        assert 1 < axes.get_window_extent().height / figure.dpi < 2.2, "inches"
        boxes += [legend.get_window_extent().extents for legend in [axes.get_legend()] if legend]
    boxes = np.array(boxes)
    assert not overlap(boxes) and figure.get_figwidth() == 7
    assert boxes.min() >= 0 and (boxes[:, 2:] <= figure.bbox.size + 1e-3).all()


def test_of_many_layers_two_panels_stand_in_a_row_and_the_curves_name_the_first_and_the_last():
    layers = [f"layer{number}" for number in range(9)]
    figure = draw(make_summary(layers))
    bottoms = [round(axes.bbox.y0) for axes in figure.axes]
    assert [bottoms.count(bottom) for bottom in dict.fromkeys(bottoms)] == [2, 2, 2, 1, 1]
    axes = figure.axes[-1]
    assert read_texts(axes.get_legend())[:2] == ["layer0", "layer8"] and len(axes.lines) == 27
    ends = [tuple(axes.lines[at].get_color()) for at in (0, -1)]
    assert [tuple(handle.get_color()) for handle in axes.get_legend().legend_handles[:2]] == ends


def test_names_are_not_read_as_formulas_or_left_out():
    names = ["$a^$", "_b", "_$x$", "c$"]
    figure = draw(make_summary(names))
    panels = find_panels(figure)
    assert [text.get_text() for text in panels[MAP].get_xticklabels()] == names
    legend = panels[f"{CURVES}, test images"].get_legend()
    assert read_texts(legend)[:4] == names
    texts = [*panels[MAP].get_xticklabels(), *legend.get_texts()]
    assert not any(text.get_parse_math() for text in texts)
