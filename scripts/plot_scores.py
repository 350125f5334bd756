"""Draw the scores of all layers, on training and test images, with their range over the seeds."""

import math
from collections.abc import Mapping, Sequence

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogFormatter

from common.figures.files import save_figure
from common.figures.style import DPI, GRID_COLOR, GUIDE, PAGE_STYLE, PAGE_WIDTH, SPACE_COLORS
from common.logs import run_logged
from common.scoring.scores import ERROR_PANEL, PANELS, SCORES, Score
from common.tables import load_table

PANEL_HEIGHT = 2.6  # inches, of a row of panels without their legends
LEGEND_LINE = 10.5  # points
MAX_IN_A_ROW = 8  # layers up to which all panels stand in one row
CHARACTER = 0.055  # inches, of a name that is turned upright
MAX_HORIZONTAL, MAX_LENGTH = 3, 30  # layers, and characters of all their names, up to which names are not turned
SPLITS = {  # color of the marker's face, and name
    "train": ("black", "training images"),
    "test": ("white", "test images, which network and map have not seen"),
}
OFFSET = 0.12  # of the markers of the two splits from the middle of a layer, which has width 1

Panel = Mapping[str, Score]  # the scores in a panel, by column


class PlainLogFormatter(LogFormatter):
    """Matplotlib's choice of the numbers on a logarithmic axis, written as 0.6 where it has 6e-01."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        """Return the label at x."""
        return f"{x:g}" if super().__call__(x, pos) else ""


def error_rates(accuracies: pd.Series, rows: pd.Series) -> pd.Series:
    """Return accuracies as error rates in percent; half an image where there is no error, for the logarithmic axis."""
    return 100 * np.maximum(1 - accuracies, 0.5 / rows)


def draw_score(
    axes: Axes, table: pd.DataFrame, values: pd.Series, split: str, offset: float, color: str, marker: str
) -> None:
    """Draw each layer's mean with its range over the seeds: filled for training images, hollow for test images."""
    layers = list(dict.fromkeys(table.layer))
    groups = values[table.split == split].groupby(table.layer)
    mean, low, high = (getattr(groups, name)().reindex(layers) for name in ("mean", "min", "max"))
    style = {"markeredgecolor": color, "markerfacecolor": color if split == "train" else "white", "markersize": 4}
    axes.errorbar(
        np.arange(len(layers)) + offset,
        mean,
        yerr=np.maximum([mean - low, high - mean], 0),  # the mean of equal numbers can differ in its last digit
        fmt=marker,
        color=color,
        linewidth=0.8,
        capsize=1.5,
        **style,
    )


def choose_panels(table: pd.DataFrame) -> dict[str, Panel]:
    """Return the panels, by title, with the scores that the table knows; empty panels are left out."""
    panels = {
        title: {key: score for key, score in SCORES.items() if score.panel == title and table[key].notna().any()}
        for title in PANELS
    }
    return {title: panel for title, panel in panels.items() if panel}


def name_rotation(layers: Sequence[str]) -> int:
    """Return the angle, in degrees, at which the layers' names fit under a panel."""
    if len(layers) > MAX_IN_A_ROW or len("".join(layers)) > MAX_LENGTH:
        return 90
    return 0 if len(layers) <= MAX_HORIZONTAL else 30


def draw_panel(axes: Axes, table: pd.DataFrame, panel: Panel, splits: Sequence[str], is_error: bool) -> None:
    """Draw the scores of one panel, for both splits, with a legend above it."""
    for key, score in panel.items():
        values = error_rates(table[key], table.rows) if is_error else table[key]
        for split, offset in zip(splits, (-OFFSET, OFFSET) if len(splits) > 1 else (0,), strict=True):
            draw_score(axes, table, values, split, offset, SPACE_COLORS[score.space], score.marker)
    handles = [
        Line2D(
            [], [], marker=score.marker, linestyle="", color=SPACE_COLORS[score.space], markersize=4, label=score.legend
        )
        for score in panel.values()
    ]
    axes.grid(axis="y", color=GRID_COLOR, linewidth=0.5)
    axes.set_axisbelow(True)
    if is_error:
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_formatter(PlainLogFormatter(minor_thresholds=(2, 0.4)))  # labels only if they are few
        network = 100 * (1 - table[table.split == "test"].network_accuracy.mean())
        if network > 0:
            axes.axhline(network, color="black", **GUIDE)
            handles.append(Line2D([], [], color="black", label="network, test", **GUIDE))
    spacing = {"handletextpad": 0.2, "borderpad": 0.1, "labelspacing": 0.2}
    axes.legend(handles=handles, loc="lower center", bbox_to_anchor=(0.5, 1), **spacing)


def plot_scores(table: pd.DataFrame) -> Figure:
    """Return a figure of the table of compare_layers, which has a row for each layer, split and pair of seeds.

    Unknown scores have no panel. Without test images there is no legend of the splits.
    """
    layers = list(dict.fromkeys(table.layer))
    drawn = [key for key, score in SCORES.items() if score.panel]
    splits = [split for split in SPLITS if table.loc[table.split == split, drawn].notna().any(axis=None)]
    panels = choose_panels(table)
    in_a_row = len(panels) if len(layers) <= MAX_IN_A_ROW else math.ceil(len(panels) / 2)
    rows = math.ceil(len(panels) / in_a_row)
    rotation = name_rotation(layers)
    # lines of the longest legend; that of the error rates has the network's line, too
    lines = max(3, *(sum(1 + score.legend.count("\n") for score in panel.values()) for panel in panels.values()))
    name_height = max(map(len, layers)) * CHARACTER if rotation == 90 else 0
    height = rows * (PANEL_HEIGHT + lines * LEGEND_LINE / 72 + name_height)
    figure = Figure((PAGE_WIDTH, height), layout="constrained")
    grid = figure.subplots(rows, in_a_row, squeeze=False).flat
    for axes in list(grid)[len(panels) :]:
        axes.remove()
    for axes, (title, panel) in zip(figure.axes, panels.items(), strict=True):
        draw_panel(axes, table, panel, splits, title == ERROR_PANEL)
        axes.set_title(title, pad=lines * LEGEND_LINE)
        axes.set_xticks(range(len(layers)), layers, rotation=rotation, parse_math=False)
        axes.set_xlim(-0.5, len(layers) - 0.5)
    if len(splits) > 1:
        style = {"marker": "o", "linestyle": "", "color": "black", "markersize": 4}
        handles = [Line2D([], [], markerfacecolor=face, label=name, **style) for face, name in map(SPLITS.get, splits)]
        figure.legend(handles=handles, loc="outside lower center", ncols=2)
    return figure


if __name__ == "__main__":
    with run_logged(snakemake.log[0], "plot_scores"), matplotlib.rc_context(PAGE_STYLE):
        figure = plot_scores(load_table(snakemake.input.table, *SCORES))
        save_figure(figure, snakemake.output.eps, snakemake.output.png, DPI)
