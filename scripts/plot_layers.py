"""Draw the maps of all layers side by side, in the same colors, each with its scores."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from common.arrays import load_json, load_rows
from common.figures import SMALL, class_colors, draw_map, save_figure
from common.jobs import job

WIDTH = 7.0  # inches: a page's
COLUMNS = 4  # at most
TITLE, SCORES, KEY = 0.18, 0.34, 0.2  # inches above a map, below it, and below them all
DPI = 300


def caption(scores: Mapping[str, Any]) -> str:
    """What stands under a map: how many labels its neighbors guess, and how many of the layer's neighbors it keeps."""
    train, test = scores["train"], scores["test"]
    return (
        f"labels right {train['map_accuracy']:.2%} (test {test['map_accuracy']:.2%})\n"
        f"neighbors kept {train['kept_10']:.0%} (test {test['kept_10']:.0%})"
    )


def plot_layers(
    maps: Mapping[str, np.ndarray],
    labels: np.ndarray,
    scores: Mapping[str, Mapping[str, Any]],
    palette: str | Sequence[str],
) -> Figure:
    """A figure of maps (n, 2) by layer, of images with labels (n,) integers, with each one's scores, from score_map."""
    colors = class_colors(palette, labels.max() + 1)
    columns = min(COLUMNS, len(maps))
    rows = math.ceil(len(maps) / columns)
    side = WIDTH / max(columns, 2)
    height = rows * (TITLE + side + SCORES) + KEY
    figure = Figure((side * columns, height))
    for number, (layer, coordinates) in enumerate(maps.items()):
        row, column = divmod(number, columns)
        bottom = height - (row + 1) * (TITLE + side) - row * SCORES
        axes = figure.add_axes((column / columns, bottom / height, 1 / columns, side / height))
        draw_map(axes, coordinates, labels, colors, side)
        center = (column + 0.5) / columns
        figure.text(center, (bottom + side) / height, layer, ha="center", va="bottom", weight="bold", size=8)
        figure.text(center, (bottom - 0.03) / height, caption(scores[layer]), ha="center", va="top", size=6.5)
    handles = [
        Line2D([], [], marker="o", linestyle="", markersize=4, markeredgewidth=0, color=colors[label])
        for label in np.unique(labels)
    ]
    names = [str(label) for label in np.unique(labels)]
    legend = {"loc": "lower center", "ncols": len(names), "handletextpad": 0, "columnspacing": 0.8, "borderpad": 0.2}
    figure.legend(handles, names, fontsize=6.5, frameon=False, **legend)
    return figure


if __name__ == "__main__":
    with job(snakemake.log[0], "plot_layers"), matplotlib.rc_context(SMALL):
        layers = snakemake.params.layers
        *coordinates, labels = load_rows(*snakemake.input.maps, snakemake.input.labels)
        scores = map(load_json, snakemake.input.scores)
        maps, scores = (dict(zip(layers, values, strict=True)) for values in (coordinates, scores))
        figure = plot_layers(maps, labels, scores, snakemake.params.palette)
        save_figure(figure, snakemake.output.eps, snakemake.output.png, DPI)
