"""Draw the scores of all layers after training on the images of each split, with their intervals."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, NullLocator

from common.figures.files import save_figure
from common.figures.score_axes import (
    CHARACTER,
    MAX_IN_A_ROW,
    as_error,
    as_percent,
    find_network_error,
    name_rotation,
    set_log_axis,
)
from common.figures.style import DPI, GRID_COLOR, GUIDE, PAGE_STYLE, PAGE_WIDTH, SPACE_COLORS
from common.inputs import load_json
from common.logs import run_logged
from common.names import SPLIT_NAMES, SPLITS
from common.scoring.scores import SCORES
from common.tables import load_table

ERRORS = {"knn_accuracy_features": "kNN error,\nfeatures (%)", "knn_accuracy_map": "kNN error,\nmap (%)"}
OTHERS = {
    "knn_preservation_10": "kNN preservation,\nk = 10 (%)",
    "trustworthiness": "trustworthiness\n",
    "continuity": "continuity\n",
    "silhouette_map": "silhouette,\nmap",
    "distance_correlation": "rank correlation\nof distances",
}
CURVES = "kNN error, features (%), over k"
FACES = {"train": "full", "validation": "left", "test": "none"}  # of the markers: matplotlib's fillstyle
METRICS = {  # line style and name
    "euclidean": ("-", "Euclidean"),
    "cosine": ("--", "cosine"),
    "pca": (":", "50 components"),
}
PANEL_HEIGHT = 1.9  # inches
OFFSET = 0.2  # of the markers of the first and last split from the middle of a layer, which has width 1


def draw_intervals(
    axes: Axes, places: np.ndarray, intervals: Sequence[Mapping[str, float | None] | None], color: str, split: str
) -> None:
    """Draw means with their intervals, where there are, in the marker of a split."""
    known = [(place, one) for place, one in zip(places, intervals, strict=True) if one]
    means = np.array([one["mean"] for _, one in known])
    bars = [[0 if one[end] is None else abs(one["mean"] - one[end]) for _, one in known] for end in ("low", "high")]
    axes.errorbar(
        [place for place, _ in known],
        means,
        yerr=bars,
        fmt="o",
        color=color,
        fillstyle=FACES[split],
        markerfacecoloralt="white",
        markersize=3.5,
        markeredgewidth=0.8,
        linewidth=0.8,
        zorder=3,
    )


def draw_panel(
    axes: Axes, layers: Mapping[str, Any], score: str, splits: Sequence[str], guide: float | None = None
) -> None:
    """Draw one score of all layers on all splits, and a dashed line at `guide`."""
    is_error, percent = score in ERRORS, "preservation" in score
    color, drawn = SPACE_COLORS[SCORES[score].space], []
    for split, offset in zip(
        splits, np.linspace(-OFFSET, OFFSET, len(splits)) if len(splits) > 1 else [0], strict=True
    ):
        intervals = [entry[split].get(score) for entry in layers.values()]
        if is_error:
            intervals = [one and as_error(one) for one in intervals]
        elif percent:
            intervals = [one and as_percent(one) for one in intervals]
        drawn += [value for one in intervals if one for value in one.values() if value is not None]
        draw_intervals(axes, np.arange(len(layers)) + offset, intervals, color, split)
    if guide is not None:
        axes.axhline(guide, color="black", **GUIDE)
        drawn.append(guide)
    if is_error:
        set_log_axis(axes, drawn)
    axes.set_xlim(-0.5, len(layers) - 0.5)


def layer_colors(count: int) -> np.ndarray:
    """Return a color for each layer, from light to dark in the order of the layers."""
    return matplotlib.colormaps["viridis"](np.linspace(0.85, 0, count))


def draw_curves(axes: Axes, knn: pd.DataFrame, layers: Sequence[str], noun: str) -> None:
    """Draw the kNN error after training over the number of voters, a line for each layer and metric.

    It is that on the last split there is.
    """
    split = next(split for split in reversed(SPLITS) if (knn.split == split).any())
    rows = knn[(knn.split == split) & knn.epoch.isna()]
    errors = 100 * (1 - rows.groupby(["layer", "metric", "k"]).accuracy.mean())
    for color, layer in zip(layer_colors(len(layers)), layers, strict=True):
        for metric, (style, _) in METRICS.items():
            line = errors[layer, metric]
            axes.plot(line.index, line.to_numpy(), style, color=color, linewidth=1)
    axes.set_xscale("log")
    counts = sorted(rows.k.unique())
    axes.xaxis.set_major_locator(FixedLocator([k for k in (1, 2, 5, 10, 20, 50) if k in counts]))
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel("number of voters, k", labelpad=1)
    set_log_axis(axes, errors.to_numpy())
    names = layers if len(layers) <= MAX_IN_A_ROW else (layers[0], layers[-1])
    handles = [Line2D([], [], color=color) for color in layer_colors(len(names))]
    handles += [Line2D([], [], color="black", linewidth=1, linestyle=style) for style, _ in METRICS.values()]
    blank = [str(number) for number in range(len(handles))]  # matplotlib omits a name that begins with _
    place = {"loc": "center left", "bbox_to_anchor": (1, 0.5), "handlelength": 1.6, "borderpad": 0.1}
    legend = axes.legend(handles, blank, **place)
    for text, name in zip(legend.get_texts(), [*names, *(name for _, name in METRICS.values())], strict=True):
        text.set_parse_math(False)
        text.set_text(name)
    axes.set_title(f"{CURVES}, {SPLIT_NAMES[split]} {noun}s", fontsize=7)


def plot_splits(summary: Mapping[str, Any], knn: pd.DataFrame, rows: Mapping[str, int], noun: str = "image") -> Figure:
    """Return a figure of the summary and the table knn.csv of compare_layers; `rows` are the images of each split.

    Scores that no layer has get no panel. The noun is "image", or what else a row is.
    """
    layers = summary["layers"]
    splits = [split for split in SPLITS if rows.get(split)]

    def is_known(score: str) -> bool:
        return any(score in entry[split] for entry in layers.values() for split in splits)

    errors, others = ([score for score in group if is_known(score)] for group in (ERRORS, OTHERS))
    lines = [row for row in (errors, others) if row]
    if len(layers) > MAX_IN_A_ROW:
        lines = [row[at : at + 2] for row in lines for at in range(0, len(row), 2)]
        lines += [["curves"]] if errors else []
    elif errors:
        lines[0] = [*errors, "curves"]
    narrowest = PAGE_WIDTH / max(map(len, lines)) * 0.7
    rotation = name_rotation(list(layers), narrowest)
    name_height = max(map(len, layers)) * CHARACTER if rotation else 0
    heights = [PANEL_HEIGHT + (line != ["curves"]) * name_height for line in lines]
    figure = Figure((PAGE_WIDTH, sum(heights) + 0.3), layout="constrained")
    subfigures = figure.subfigures(len(lines), 1, squeeze=False, height_ratios=heights)[:, 0]
    for subfigure, line in zip(subfigures, lines, strict=True):
        shares = [2 if score == "curves" else 1 for score in line]
        panels = subfigure.subplots(1, len(line), width_ratios=shares, squeeze=False)[0]
        for score, axes in zip(line, panels, strict=True):
            axes.grid(axis="y", color=GRID_COLOR, linewidth=0.5)
            axes.set_axisbelow(True)
            if score == "curves":
                draw_curves(axes, knn, list(layers), noun)
                continue
            guide = find_network_error(summary["network"], "test") if score == "knn_accuracy_features" else None
            draw_panel(axes, layers, score, splits, guide)
            axes.set_xticks(range(len(layers)), list(layers), rotation=rotation, parse_math=False)
            axes.set_title((ERRORS | OTHERS)[score], fontsize=7)
    add_legend(figure, summary, {split: f"{rows[split]:,} {SPLIT_NAMES[split]} {noun}s" for split in splits})
    return figure


def add_legend(figure: Figure, summary: Mapping[str, Any], texts: Mapping[str, str]) -> None:
    """Add a legend of the splits, by their texts, the bars and the network's line, in two lines if one is too long."""
    style = {"marker": "o", "linestyle": "", "color": "black", "markerfacecoloralt": "white", "markersize": 4}
    handles = [Line2D([], [], fillstyle=FACES[split], label=text, **style) for split, text in texts.items()]
    handles.append(Line2D([], [], marker="|", markersize=8, linestyle="", color="black", label="95 % interval"))
    if find_network_error(summary["network"], "test") is not None:
        handles.append(Line2D([], [], color="black", label="error of the network, test", **GUIDE))
    style = {"handles": handles, "loc": "outside lower center", "columnspacing": 1, "handletextpad": 0.3}
    legend = figure.legend(ncols=len(handles), **style)
    if legend.get_window_extent().width > figure.bbox.width:
        legend.remove()
        figure.legend(ncols=math.ceil(len(handles) / 2), **style)


if __name__ == "__main__":
    with run_logged(snakemake.log[0], "plot_splits"), matplotlib.rc_context(PAGE_STYLE):
        summary, table = load_json(snakemake.input.summary), load_table(snakemake.input.table, "split", "rows")
        knn = load_table(snakemake.input.knn, "layer", "epoch", "split", "metric", "k", "accuracy")
        rows = table.groupby("split").rows.first().to_dict()
        figure = plot_splits(summary, knn, rows, snakemake.params.noun)
        save_figure(figure, snakemake.output.eps, snakemake.output.png, DPI)
