"""Draw the maps of all layers side by side, in the same colors, each with its scores."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from common.arrays import load_classes, load_json, load_rows
from common.figures import SMALL, class_colors, draw_map, save_figure
from common.jobs import job

WIDTH = 7.0  # inches: a page's
COLUMNS = 4  # at most
TITLE, SCORES = 0.18, 0.34  # inches above a map, and below it
KEY, LINE = 0.07, 0.13  # inches below them all, and for each line of the key
IN_KEY = 40  # classes, at most: nobody tells more colors apart
LETTERS = 6.5  # points
DPI = 300


def caption(scores: Mapping[str, Any]) -> str:
    """What stands under a map: how many labels its neighbors guess, and how many of the layer's neighbors it keeps.

    What is not known, without labels or without test images, is left out.
    """
    lines = []
    for name, score, form in ("labels right", "map_accuracy", ".2%"), ("neighbors kept", "kept_10", ".0%"):
        train, test = scores["train"][score], scores["test"][score]
        if train is not None:
            lines.append(f"{name} {train:{form}}" + (f" (test {test:{form}})" if test is not None else ""))
    return "\n".join(lines)


def add_key(figure: Figure, names: Sequence[str], colors: np.ndarray) -> int:
    """Add a key of the classes' names, at the foot of a figure, and say how many lines it has."""
    handles = [Line2D([], [], marker="o", linestyle="", markersize=4, markeredgewidth=0, color=one) for one in colors]
    gap, dot = 0.8, 2.0  # between columns, and for a dot, in letters
    probe = [figure.text(0, 0, name, size=LETTERS, parse_math=False) for name in names]
    widths = [text.get_window_extent().width / figure.dpi + (gap + dot) * LETTERS / 72 for text in probe]
    for text in probe:
        text.remove()
    columns = max(1, min(len(names), int(figure.get_figwidth() / max(widths))))
    if sum(widths) <= figure.get_figwidth():
        columns = len(names)
    blank = [str(number) for number in range(len(names))]  # a name may begin with _, which would leave it out
    style = {"handletextpad": 0, "columnspacing": gap, "borderpad": 0.2, "handlelength": dot, "labelspacing": 0.2}
    key = figure.legend(handles, blank, loc="lower center", ncols=columns, fontsize=LETTERS, frameon=False, **style)
    for text, name in zip(key.get_texts(), names, strict=True):
        text.set_parse_math(False)
        text.set_text(name)
    return math.ceil(len(names) / columns)


def plot_layers(
    maps: Mapping[str, np.ndarray],
    labels: np.ndarray,
    classes: Sequence[str],
    scores: Mapping[str, Mapping[str, Any]],
    palette: str | Sequence[str],
) -> Figure:
    """A figure of maps (n, 2) by layer, with each one's scores, from score_map, and a key of the classes.

    The images' labels (n,) integers number the names `classes`, of which there are none without labels.
    Of more than IN_KEY classes there is no key.
    """
    colors = class_colors(palette, len(classes))
    columns = min(COLUMNS, len(maps))
    rows = math.ceil(len(maps) / columns)
    side = WIDTH / max(columns, 2)
    figure = Figure((side * columns, 1))
    lines = 0
    if 0 < len(classes) <= IN_KEY:
        present = np.unique(labels)
        lines = add_key(figure, [classes[label] for label in present], colors[present])
    height = rows * (TITLE + side + SCORES) + KEY + lines * LINE
    figure.set_figheight(height)
    for number, (layer, coordinates) in enumerate(maps.items()):
        row, column = divmod(number, columns)
        bottom = height - (row + 1) * (TITLE + side) - row * SCORES
        axes = figure.add_axes((column / columns, bottom / height, 1 / columns, side / height))
        draw_map(axes, coordinates, labels, colors, side)
        center = (column + 0.5) / columns
        figure.text(
            center, (bottom + side) / height, layer, ha="center", va="bottom", weight="bold", size=8, parse_math=False
        )
        figure.text(center, (bottom - 0.03) / height, caption(scores[layer]), ha="center", va="top", size=LETTERS)
    return figure


if __name__ == "__main__":
    with job(snakemake.log[0], "plot_layers"), matplotlib.rc_context(SMALL):
        layers = snakemake.params.layers
        *coordinates, labels = load_rows(*snakemake.input.maps, snakemake.input.labels)
        classes, scores = load_classes(snakemake.input.classes), map(load_json, snakemake.input.scores)
        maps, scores = (dict(zip(layers, values, strict=True)) for values in (coordinates, scores))
        figure = plot_layers(maps, labels, classes, scores, snakemake.params.palette)
        save_figure(figure, snakemake.output.eps, snakemake.output.png, DPI)
