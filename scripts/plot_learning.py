"""Draw the scores of all layers over the epochs of training, with the error of the network."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from common.figures.curves import PANEL_HEIGHT, PANELS, add_panels, count_rows, draw_curve, line_style, set_score_axis
from common.figures.files import save_figure
from common.figures.score_axes import Interval, convert_interval
from common.figures.style import DPI, GUIDE, PAGE_STYLE, PAGE_WIDTH
from common.inputs import load_json
from common.logs import run_logged
from common.tables import load_table

OFFSET = 0.012  # of one layer's intervals from the next one's, relative to the width
SPLITS = ("validation", "test", "train")  # the first that there is, since the network is validated after each epoch


def read_curve(entry: Mapping[str, Any], score: str, split: str, last: int) -> dict[int, Interval]:
    """Return a layer's intervals of a score by epoch, from its part of layers.json; `last` is the last epoch."""
    by_epoch = {0: entry.get("before_training", {})}
    by_epoch |= {int(epoch): scores for epoch, scores in entry.get("epochs", {}).items()} | {last: entry}
    found = {epoch: scores.get(split, {}).get(score) for epoch, scores in by_epoch.items()}
    return {epoch: convert_interval(score, interval) for epoch, interval in found.items() if interval}


def draw_panel(
    axes: Axes, layers: Mapping[str, Any], score: str, split: str, history: pd.DataFrame, shown: Sequence[int]
) -> None:
    """Draw one score of all layers over the epochs, and that of the pixels as a line across.

    The error of the network on validation images, from its `history`, is a dotted line beside other errors. Epochs have
    a square-root scale, on which the first ones are apart; those that are `shown` have numbers.
    """
    drawn = []
    for number, entry in enumerate(layers.values()):
        curve = read_curve(entry, score, split, len(history))
        if len(curve) > 1:
            offset = OFFSET * (number - len(layers) / 2) * np.sqrt(len(history))
            style = line_style(number) | {"linewidth": 1}
            drawn += draw_curve(axes, np.sqrt(list(curve)) + offset, list(curve.values()), **style)
        elif curve:
            (interval,) = curve.values()
            axes.axhline(interval["mean"], color="black", **GUIDE)
            drawn.append(interval["mean"])
    if "accuracy" in score and history.val_accuracy.notna().all():
        error = 100 * (1 - history.val_accuracy)
        axes.plot(np.sqrt(history.epoch), error, color="black", linewidth=1, linestyle=":")
        drawn += list(error)
    set_score_axis(axes, score, drawn)
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
    figure = Figure((PAGE_WIDTH, count_rows(scores) * PANEL_HEIGHT + 0.4), layout="constrained")
    for axes, score in zip(add_panels(figure, scores, "epoch"), scores, strict=True):
        draw_panel(axes, layers, score, split, history, shown)
    add_legend(figure, layers, split, history, noun)
    return figure


def add_legend(figure: Figure, layers: Mapping[str, Any], split: str, history: pd.DataFrame, noun: str) -> None:
    """Add a legend of the layers, the pixels and the network."""
    handles = []
    for number, (layer, entry) in enumerate(layers.items()):
        is_curve = "before_training" in entry or "epochs" in entry
        style = line_style(number) if is_curve else {"color": "black", **GUIDE}
        handles.append(Line2D([], [], label=layer, **style))
    if history.val_accuracy.notna().all():
        label = "error of the network, validation"
        handles.append(Line2D([], [], color="black", linestyle=":", linewidth=1, label=label))
    title = f"Scores of {({'train': 'training'}).get(split, split)} {noun}s, with 95 % intervals"
    style = {"columnspacing": 1, "handletextpad": 0.4, "title_fontsize": 7}
    figure.legend(handles=handles, loc="outside lower center", ncols=min(len(handles), 6), title=title, **style)


if __name__ == "__main__":
    with run_logged(snakemake.log[0], "plot_learning"), matplotlib.rc_context(PAGE_STYLE):
        history = load_table(snakemake.input.history, "epoch", "val_accuracy")
        figure = plot_learning(load_json(snakemake.input.summary), history, snakemake.params.noun)
        save_figure(figure, snakemake.output.eps, snakemake.output.png, DPI)
