"""Draw the embeddings of all layers side by side, in the same colors, each with its scores."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from common.figures.files import save_figure
from common.figures.maps import draw_map
from common.figures.palette import class_colors
from common.figures.style import DPI, PAGE_STYLE, PAGE_WIDTH
from common.inputs import load_classes, load_json, load_rows
from common.logs import run_logged

MAX_COLUMNS = 4
TITLE_HEIGHT, SCORES_HEIGHT = 0.18, 0.34  # inches above an embedding, and below it
LEGEND_MARGIN, LEGEND_LINE = 0.07, 0.13  # inches above the legend, and for each of its lines
MAX_LEGEND = 40  # classes; nobody can tell more colors apart
TYPE_SIZE = 6.5  # points
CAPTION = {"labels right": ("knn_accuracy_map", ".2%"), "neighbors kept": ("knn_preservation_10", ".0%")}


def make_caption(scores: Mapping[str, Any]) -> str:
    """Return the lines under an embedding: its kNN accuracy and its kNN preservation.

    What is unknown, without labels or without test images, is left out.
    """
    lines = []
    for name, (score, form) in CAPTION.items():
        train, test = scores["train"][score], scores["test"][score]
        if train is not None:
            lines.append(f"{name} {train:{form}}" + (f" (test {test:{form}})" if test is not None else ""))
    return "\n".join(lines)


def add_legend(figure: Figure, names: Sequence[str], colors: np.ndarray) -> int:
    """Add a legend of the class names at the foot of a figure, and return its number of lines."""
    handles = [Line2D([], [], marker="o", linestyle="", markersize=4, markeredgewidth=0, color=one) for one in colors]
    gap, dot = 0.8, 2.0  # between columns, and for a dot, in units of the type size
    probe = [figure.text(0, 0, name, size=TYPE_SIZE, parse_math=False) for name in names]
    widths = [text.get_window_extent().width / figure.dpi + (gap + dot) * TYPE_SIZE / 72 for text in probe]
    for text in probe:
        text.remove()
    columns = max(1, min(len(names), int(figure.get_figwidth() / max(widths))))
    if sum(widths) <= figure.get_figwidth():
        columns = len(names)
    blank = [str(number) for number in range(len(names))]  # matplotlib omits a name that begins with _
    style = {"handletextpad": 0, "columnspacing": gap, "borderpad": 0.2, "handlelength": dot, "labelspacing": 0.2}
    legend = figure.legend(
        handles, blank, loc="lower center", ncols=columns, fontsize=TYPE_SIZE, frameon=False, **style
    )
    for text, name in zip(legend.get_texts(), names, strict=True):
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
    """Return a figure of embeddings (n, 2) by layer, each with its scores from score_map, and a legend of the classes.

    The labels (n,) number the names `classes`, which are empty without labels. With more than MAX_LEGEND classes there
    is no legend.
    """
    colors = class_colors(palette, len(classes))
    columns = min(MAX_COLUMNS, len(maps))
    rows = math.ceil(len(maps) / columns)
    side = PAGE_WIDTH / max(columns, 2)
    figure = Figure((side * columns, 1))
    lines = 0
    if 0 < len(classes) <= MAX_LEGEND:
        present = np.unique(labels)
        lines = add_legend(figure, [classes[label] for label in present], colors[present])
    height = rows * (TITLE_HEIGHT + side + SCORES_HEIGHT) + LEGEND_MARGIN + lines * LEGEND_LINE
    figure.set_figheight(height)
    for number, (layer, coordinates) in enumerate(maps.items()):
        row, column = divmod(number, columns)
        bottom = height - (row + 1) * (TITLE_HEIGHT + side) - row * SCORES_HEIGHT
        axes = figure.add_axes((column / columns, bottom / height, 1 / columns, side / height))
        draw_map(axes, coordinates, labels, colors, side)
        center = (column + 0.5) / columns
        figure.text(
            center, (bottom + side) / height, layer, ha="center", va="bottom", weight="bold", size=8, parse_math=False
        )
        figure.text(
            center, (bottom - 0.03) / height, make_caption(scores[layer]), ha="center", va="top", size=TYPE_SIZE
        )
    return figure


if __name__ == "__main__":
    with run_logged(snakemake.log[0], "plot_layers"), matplotlib.rc_context(PAGE_STYLE):
        layers = snakemake.params.layers
        *coordinates, labels = load_rows(*snakemake.input.maps, snakemake.input.labels)
        classes, scores = load_classes(snakemake.input.classes), map(load_json, snakemake.input.scores)
        maps, scores = (dict(zip(layers, values, strict=True)) for values in (coordinates, scores))
        figure = plot_layers(maps, labels, classes, scores, snakemake.params.palette)
        save_figure(figure, snakemake.output.eps, snakemake.output.png, DPI)
