"""Draw the scores of all layers over the epochs of training, with the error of the network."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from common.figures.files import save_figure
from common.figures.score_axes import Interval, convert_interval, set_log_axis
from common.figures.style import DPI, GRID_COLOR, GUIDE, PAGE_STYLE, PAGE_WIDTH
from common.inputs import load_json
from common.logs import run_logged
from common.tables import load_table

PANELS = {  # the scores, with their titles
    "knn_accuracy_features": "kNN error,\nfeatures (%)",
    "linear_probe_accuracy": "linear probe\nerror (%)",
    "class_mean_accuracy": "class mean\nerror (%)",
    "separation_fuzziness": "separation\nfuzziness",
    "intrinsic_dimension": "intrinsic\ndimension",
    "knn_accuracy_map": "kNN error,\nmap (%)",
    "knn_preservation_10": "kNN preservation,\nk = 10 (%)",
    "silhouette_map": "silhouette,\nmap",
}
IN_A_ROW = 4
PANEL_HEIGHT = 1.9  # inches
OFFSET = 0.012  # of one layer's intervals from the next one's, relative to the width
MARKERS = "osD^vPX*"
COLORS = ("#3f90da", "#bd1f01", "#717581", "#e76300", "#832db6", "#a96b59", "#92dadd", "#94a4a2")
SPLITS = ("validation", "test", "train")  # the first that there is, since the network is validated after each epoch


def read_curves(entry: Mapping[str, Any], score: str, split: str, last: int) -> dict[int, Interval]:
    """Return a layer's intervals of a score by epoch, from its part of layers.json; `last` is the last epoch."""
    by_epoch = {0: entry.get("before_training", {})}
    by_epoch |= {int(epoch): scores for epoch, scores in entry.get("epochs", {}).items()} | {last: entry}
    found = {epoch: scores.get(split, {}).get(score) for epoch, scores in by_epoch.items()}
    return {epoch: convert_interval(score, interval) for epoch, interval in found.items() if interval}


def draw_curve(axes: Axes, curve: Mapping[int, Interval], number: int, offset: float) -> None:
    """Draw a layer's means over the epochs, with their intervals where they are known, `offset` to the right."""
    epochs, intervals = list(curve), list(curve.values())
    means = np.array([interval["mean"] for interval in intervals])
    ends = [
        [0 if interval[end] is None else abs(interval["mean"] - interval[end]) for interval in intervals]
        for end in ("low", "high")
    ]
    color, marker = COLORS[number % len(COLORS)], MARKERS[number % len(MARKERS)]
    style = {"color": color, "marker": marker, "markersize": 3.5, "linewidth": 1, "elinewidth": 0.8}
    axes.errorbar(np.sqrt(epochs) + offset, means, yerr=ends, **style)


def draw_panel(
    axes: Axes, layers: Mapping[str, Any], score: str, split: str, history: pd.DataFrame, shown: Sequence[int]
) -> None:
    """Draw one score of all layers over the epochs, and that of the pixels as a line across.

    The error of the network on validation images, from its `history`, is a dotted line beside other errors. Epochs have
    a square-root scale, on which the first ones are apart; those that are `shown` have numbers.
    """
    drawn = []
    for number, entry in enumerate(layers.values()):
        curve = read_curves(entry, score, split, len(history))
        drawn += [value for interval in curve.values() for value in interval.values() if value is not None]
        if len(curve) > 1:
            draw_curve(axes, curve, number, OFFSET * (number - len(layers) / 2) * np.sqrt(len(history)))
        elif curve:
            axes.axhline(*(interval["mean"] for interval in curve.values()), color="black", **GUIDE)
    if "accuracy" in score and history.val_accuracy.notna().all():
        error = 100 * (1 - history.val_accuracy)
        axes.plot(np.sqrt(history.epoch), error, color="black", linewidth=1, linestyle=":")
        drawn += list(error)
    if drawn and ("accuracy" in score or score == "separation_fuzziness"):
        set_log_axis(axes, drawn)
    axes.set_xticks(np.sqrt(shown), shown)


def plot_learning(summary: Mapping[str, Any], history: pd.DataFrame, noun: str = "image") -> Figure:
    """Return a figure of the scores over the epochs, from layers.json and the history of the first network.

    Scores that no layer has get no panel. The noun is "image", or what else a row is.
    """
    layers = summary["layers"]
    split = next(name for name in SPLITS if any(entry[name] for entry in layers.values()))
    scores = [score for score in PANELS if any(score in entry[split] for entry in layers.values())]
    epochs = {int(epoch) for entry in layers.values() for epoch in entry.get("epochs", {})}
    epochs |= {0} if any("before_training" in entry for entry in layers.values()) else set()
    shown = sorted(epochs | {len(history)})
    rows = -(-len(scores) // IN_A_ROW)
    figure = Figure((PAGE_WIDTH, rows * PANEL_HEIGHT + 0.4), layout="constrained")
    panels = list(figure.subplots(rows, min(IN_A_ROW, len(scores)), squeeze=False).flat)
    for axes, score in zip(panels, scores, strict=False):
        axes.grid(axis="y", color=GRID_COLOR, linewidth=0.5)
        axes.set_axisbelow(True)
        draw_panel(axes, layers, score, split, history, shown)
        axes.set_title(PANELS[score], fontsize=7)
        axes.set_xlabel("epoch", fontsize=7)
    for axes in panels[len(scores) :]:
        axes.set_axis_off()
    add_legend(figure, layers, split, history, noun)
    return figure


def add_legend(figure: Figure, layers: Mapping[str, Any], split: str, history: pd.DataFrame, noun: str) -> None:
    """Add a legend of the layers, the pixels and the network."""
    handles = []
    for number, (layer, entry) in enumerate(layers.items()):
        trained = "before_training" in entry or "epochs" in entry
        color, marker = COLORS[number % len(COLORS)], MARKERS[number % len(MARKERS)]
        style = {"color": color, "marker": marker, "markersize": 3.5} if trained else {"color": "black", **GUIDE}
        handles.append(Line2D([], [], label=layer, **style))
    if history.val_accuracy.notna().all():
        label = "error of the network, validation"
        handles.append(Line2D([], [], color="black", linestyle=":", linewidth=1, label=label))
    name = {"train": "training"}.get(split, split)
    style = {"columnspacing": 1, "handletextpad": 0.4, "title_fontsize": 7}
    title = f"Scores of {name} {noun}s, with 95 % intervals"
    figure.legend(handles=handles, loc="outside lower center", ncols=min(len(handles), 6), title=title, **style)


if __name__ == "__main__":
    with run_logged(snakemake.log[0], "plot_learning"), matplotlib.rc_context(PAGE_STYLE):
        history = load_table(snakemake.input.history, "epoch", "val_accuracy")
        figure = plot_learning(load_json(snakemake.input.summary), history, snakemake.params.noun)
        save_figure(figure, snakemake.output.eps, snakemake.output.png, DPI)
