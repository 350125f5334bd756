"""The table, the page and the figures of a comparison of networks."""

import matplotlib
import numpy as np
import pandas as pd
import pytest
from compare_networks import COLUMNS, tabulate_networks
from matplotlib.backends.backend_agg import FigureCanvasAgg
from plot_network_scores import plot_network_scores
from plot_network_similarity import plot_network_similarity
from plot_networks import choose_columns, plot_networks
from summarize_comparison import render_comparison

from common.figures.network_names import describe_network
from common.figures.style import PAGE_STYLE
from common.scoring.relative_depth import relative_depths


def interval(mean: float) -> dict[str, float | None]:
    return {"mean": mean, "low": mean - 0.01, "high": mean + 0.005}


def splits(accuracy: float) -> dict:
    return {"train": {}, "validation": {}, "test": {"knn_accuracy_features": interval(accuracy)}}


def summarize(layers: list[str], start: float, network: float) -> dict:
    """Return a summary of layers whose accuracy rises by 0.01, and is 0.05 lower before training."""
    found = {"pixel": splits(0.9)}
    for number, layer in enumerate(layers):
        after = start + 0.01 * number
        found[layer] = splits(after) | {"before_training": splits(after - 0.05), "learned": splits(0.05)}
        found[layer]["given"] = splits(after - 0.95)
    answers = {"train": {}, "validation": {"network_accuracy": interval(network)}}
    answers["test"] = {"network_accuracy": {"mean": network - 0.001, "low": None, "high": None}}
    return {"layers": found, "network": answers}


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    summaries = [summarize(["conv1", "conv2", "dense3"], 0.95, 0.99), summarize(["dense1", "dense2"], 0.91, 0.97)]
    return tabulate_networks(["A", "B"], summaries, [{"parameters": 1234}, {"parameters": 5}])


def test_table_has_a_row_for_each_network_layer_state_and_score(table):
    assert tuple(table) == COLUMNS
    chosen = table[(table.network == "B") & (table.split == "test")].set_index(["layer", "state"])["mean"]
    assert chosen["dense2", "after_training"] == pytest.approx(0.92)
    assert chosen["dense2", "before_training"] == pytest.approx(0.87)
    assert chosen["dense2", "learned"] == pytest.approx(0.05) and chosen["dense2", "given"] == pytest.approx(-0.03)
    assert len(table) == (1 + 3 * 4 + 2) + (1 + 2 * 4 + 2) and set(table.parameters) == {1234, 5}
    assert table.groupby("layer").depth.first().to_dict() == pytest.approx(
        {"": np.nan, "pixel": 0, "conv1": 1 / 3, "conv2": 2 / 3, "dense3": 1, "dense1": 0.5, "dense2": 1}, nan_ok=True
    )


def test_depth_is_relative_to_the_last_layer():
    assert relative_depths(["pixel", "a", "b"]) == {"pixel": 0, "a": 0.5, "b": 1}
    assert relative_depths(["a"]) == {"a": 1}
    assert choose_columns(["pixel", "a", "b"], 4) == {"pixel": 0, "a": 2, "b": 4}
    assert choose_columns(["a", "b", "c", "d"], 4) == {"a": 1, "b": 2, "c": 3, "d": 4}


@pytest.fixture(scope="module")
def saved(table, tmp_path_factory) -> pd.DataFrame:
    """The table as the figures read it."""
    path = tmp_path_factory.mktemp("table") / "networks.csv"
    table.to_csv(path, index=False, float_format="%.6g")
    return pd.read_csv(path)


def test_network_is_described_by_its_parameters_and_errors(saved):
    assert describe_network(saved, "A") == "A: 1,234 parameters, error 1.00 % (validation), 1.10 % (test)"


def test_scores_are_drawn_over_the_depth_before_and_after_training(saved):
    with matplotlib.rc_context(PAGE_STYLE):
        figure = plot_network_scores(saved)
        FigureCanvasAgg(figure).draw()
    axes = figure.axes[0]
    curves = [container.lines[0] for container in axes.containers]
    assert [np.round(np.asarray(curve.get_xdata(), float), 2).tolist() for curve in curves] == 2 * [
        [0, 0.33, 0.67, 1]
    ] + 2 * [[0, 0.5, 1]]
    assert [list(map(round, curve.get_ydata())) for curve in curves[:2]] == [[10, 10, 9, 8], [10, 5, 4, 3]]
    assert [curve.get_linestyle() for curve in curves] == ["--", "-"] * 2
    assert [text.get_text()[:2] for text in figure.legends[0].texts] == ["A:", "B:"]


def test_maps_have_a_row_for_each_network_and_the_pixels_once():
    points, labels = np.random.default_rng(0).normal(size=(60, 2)), np.arange(60) % 3
    layers = {"A": ["pixel", "a1", "a2", "a3"], "B": ["pixel", "b1", "b3"]}
    maps = {network: dict.fromkeys(names, points) for network, names in layers.items()}
    captions = {network: dict.fromkeys(names, "kNN accuracy 90 %") for network, names in layers.items()}
    with matplotlib.rc_context(PAGE_STYLE):
        figure = plot_networks(maps, labels, list("xyz"), {"A": "A: 1", "B": "B: 2"}, captions, "auto", "note")
        FigureCanvasAgg(figure).draw()
    texts = [text.get_text() for text in figure.texts]
    assert texts.count("pixel") == 1 and {"A: 1", "B: 2", "a3", "b1", "note"} <= set(texts)
    places = {(round(axes.get_position().x0, 2), round(axes.get_position().y0, 2)) for axes in figure.axes}
    assert len(figure.axes) == len(places) == 6
    rows = sorted({y for _, y in places}, reverse=True)
    assert [sorted(x for x, y in places if y == row) for row in rows] == [[0, 0.25, 0.5, 0.75], [0.5, 0.75]]


def test_similarity_of_all_layers_of_all_networks_is_drawn():
    names = [("A", "pixel"), ("A", "conv1"), ("B", "dense1")]
    rows = [
        {"network": a, "layer": b, "network_2": c, "layer_2": d, "rows": 50, "cka": 0.5, "overlap": 0.25}
        for number, (a, b) in enumerate(names)
        for c, d in names[number + 1 :]
    ]
    with matplotlib.rc_context(PAGE_STYLE):
        figure = plot_network_similarity(pd.DataFrame(rows))
        FigureCanvasAgg(figure).draw()
    cka, overlap = figure.axes
    assert [label.get_text() for label in cka.get_yticklabels()] == ["A conv1", "B dense1"]
    assert {text.get_text() for text in cka.texts} == {"0.50"} and {text.get_text() for text in overlap.texts} == {
        "0.25"
    }


def test_page_has_every_network_and_escapes_its_name(saved):
    page = render_comparison(saved.replace({"network": {"A": "<A>"}}), "<Mine>")
    assert "<A>" not in page and "&lt;A&gt;" in page and "<title>&lt;Mine&gt;</title>" in page
    assert "0.9700 (0.9600 to 0.9750)" in page and "1,234" in page and "0.9690" in page
    assert page.count("<h2>") == 2, "the networks, and their kNN accuracy"
    assert " images: kNN accuracy, features</h2>" in page and "accuracy, train<" not in page
