"""Draw the scores of all layers before and after training, with their intervals."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from common.figures.files import save_figure
from common.figures.score_axes import (
    CHARACTER,
    MAX_IN_A_ROW,
    Interval,
    convert_interval,
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

PANELS = {  # the scores by row of panels, with their titles
    "features": {
        "knn_accuracy_features": "kNN error,\nfeatures (%)",
        "linear_probe_accuracy": "linear probe\nerror (%)",
        "class_mean_accuracy": "class mean\nerror (%)",
        "separation_fuzziness": "separation\nfuzziness",
        "intrinsic_dimension": "intrinsic\ndimension",
    },
    "map": {
        "knn_accuracy_map": "kNN error,\nmap (%)",
        "knn_preservation_10": "kNN preservation,\nk = 10 (%)",
        "trustworthiness": "trustworthiness\n",
        "silhouette_map": "silhouette,\nmap",
        "distance_correlation": "rank correlation\nof distances",
    },
}
LOGARITHMIC = ("separation_fuzziness",)  # as the errors are
PANEL_HEIGHT = 1.9  # inches
OFFSET = 0.15  # of the marks from the middle of a layer, which has width 1
MARK = {"fmt": "o", "markersize": 4, "markeredgewidth": 0.9, "linewidth": 0.8, "zorder": 3}


def list_bounds(intervals: Sequence[Interval]) -> list[float]:
    """Return all values of some intervals that are known."""
    return [value for one in intervals for value in one.values() if value is not None]


def draw_mark(axes: Axes, place: float, interval: Interval, color: str, filled: bool) -> None:
    """Draw a mean with its interval, if it has one, as a filled or a hollow circle."""
    ends = [[0 if interval[end] is None else abs(interval["mean"] - interval[end])] for end in ("low", "high")]
    face = color if filled else "white"
    axes.errorbar([place], [interval["mean"]], yerr=ends, color=color, markerfacecolor=face, **MARK)


def draw_panel(axes: Axes, layers: Mapping[str, Any], score: str, split: str, guide: float | None = None) -> None:
    """Draw one score of all layers before and after training, and that of the pixels as a line across.

    `guide` is the place of another line, dotted.
    """
    color, drawn = SPACE_COLORS[SCORES[score].space], []
    for number, (layer, entry) in enumerate(layers.items()):
        after = convert_interval(score, entry[split].get(score))
        before = convert_interval(score, entry.get("before_training", {}).get(split, {}).get(score))
        known = [one for one in (before, after) if one]
        drawn += list_bounds(known)
        if before and after:
            style = {"arrowstyle": "->", "color": color, "linewidth": 0.8, "shrinkA": 3, "shrinkB": 3}
            ends = ((number + offset, one["mean"]) for offset, one in ((OFFSET, after), (-OFFSET, before)))
            axes.annotate("", *ends, arrowprops=style)
            draw_mark(axes, number - OFFSET, before, color, filled=False)
        if after:
            draw_mark(axes, number + OFFSET * bool(before), after, color, filled=True)
        if layer == "pixel" and after:
            axes.axhline(after["mean"], color="black", **GUIDE)
            if after["low"] is not None:
                axes.axhspan(after["low"], after["high"], color=GRID_COLOR, linewidth=0, zorder=0)
    if guide is not None:
        axes.axhline(guide, color="black", linewidth=0.8, linestyle=":")
        drawn.append(guide)
    if "accuracy" in score or score in LOGARITHMIC:
        set_log_axis(axes, drawn)
    axes.set_xlim(-0.5, len(layers) - 0.5)


def find_split(layers: Mapping[str, Any]) -> str:
    """Return the last split that the layers have scores of: test, else validation, else training images."""
    return next(split for split in reversed(SPLITS) if any(entry[split] for entry in layers.values()))


def plot_scores(summary: Mapping[str, Any], rows: Mapping[str, int], noun: str = "image") -> Figure:
    """Return a figure of the summary of compare_layers, on the last split; `rows` are the images of each split.

    Scores that no layer has get no panel. The noun is "image", or what else a row is.
    """
    layers = summary["layers"]
    split = find_split(layers)
    lines = [
        [score for score in row if any(score in entry[split] for entry in layers.values())] for row in PANELS.values()
    ]
    if len(layers) > MAX_IN_A_ROW:
        lines = [line[at : at + 2] for line in lines for at in range(0, len(line), 2)]
    lines = [line for line in lines if line]
    titles = PANELS["features"] | PANELS["map"]
    rotation = name_rotation(list(layers), PAGE_WIDTH / max(map(len, lines)) * 0.7)
    height = PANEL_HEIGHT + (max(map(len, layers)) * CHARACTER if rotation else 0)
    figure = Figure((PAGE_WIDTH, len(lines) * height + 0.3), layout="constrained")
    subfigures = figure.subfigures(len(lines), 1, squeeze=False)[:, 0]
    network_error = find_network_error(summary["network"], split)
    for subfigure, line in zip(subfigures, lines, strict=True):
        for score, axes in zip(line, subfigure.subplots(1, len(line), squeeze=False)[0], strict=True):
            axes.grid(axis="y", color=GRID_COLOR, linewidth=0.5)
            axes.set_axisbelow(True)
            draw_panel(axes, layers, score, split, network_error if score == "knn_accuracy_features" else None)
            axes.set_xticks(range(len(layers)), list(layers), rotation=rotation, parse_math=False)
            axes.set_title(titles[score], fontsize=7)
    has_control = any("before_training" in entry for entry in layers.values())
    add_legend(figure, f"{rows[split]:,} {SPLIT_NAMES[split]} {noun}s", has_control, "pixel" in layers, network_error)
    return figure


def add_legend(figure: Figure, images: str, has_control: bool, has_pixels: bool, network_error: float | None) -> None:
    """Add a legend of the marks, the bars and the lines, in two lines if one is too long."""
    style = {"marker": "o", "linestyle": "", "color": "black", "markersize": 4}
    handles = [Line2D([], [], markerfacecolor="white", label="before training", **style)] * has_control
    handles.append(Line2D([], [], label="after training" if has_control else images, **style))
    handles.append(Line2D([], [], marker="|", markersize=8, linestyle="", color="black", label="95 % interval"))
    if has_pixels:
        handles.append((Patch(color=GRID_COLOR), Line2D([], [], color="black", **GUIDE)))
    if network_error is not None:
        handles.append(Line2D([], [], color="black", linewidth=0.8, linestyle=":", label="error of the network"))
    labels = ["pixel, with interval" if isinstance(handle, tuple) else handle.get_label() for handle in handles]
    style = {"loc": "outside lower center", "columnspacing": 1, "handletextpad": 0.4, "title_fontsize": 7}
    title = f"Scores of {images}" if has_control else None
    legend = figure.legend(handles, labels, ncols=len(handles), title=title, **style)
    if legend.get_window_extent().width > figure.bbox.width:
        legend.remove()
        figure.legend(handles, labels, ncols=math.ceil(len(handles) / 2), title=title, **style)


if __name__ == "__main__":
    with run_logged(snakemake.log[0], "plot_scores"), matplotlib.rc_context(PAGE_STYLE):
        table = load_table(snakemake.input.table, "split", "rows")
        rows = table.groupby("split").rows.first().to_dict()
        figure = plot_scores(load_json(snakemake.input.summary), rows, snakemake.params.noun)
        save_figure(figure, snakemake.output.eps, snakemake.output.png, DPI)
