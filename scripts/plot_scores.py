"""Draw the scores of all layers, on training and on test images, with their spread over the seeds."""

import math

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogFormatter

from common.figures import SMALL, save_figure
from common.jobs import job
from common.tables import SCORES, load_table

WIDTH, HEIGHT = 7.0, 2.6  # inches, of the figure and of a row of panels without the key above each
LINE = 10.5  # points, of such a key
IN_A_ROW = 8  # layers of which all panels stand in a row; of more, half of them
LETTER = 0.055  # inches: of a name that is turned upright
LYING, LONG = 3, 30  # layers, and characters of all their names, that can be written side by side; more are turned
DPI = 300
FEATURES, MAP = "#3f90da", "#e76300"
PANELS = {  # title, and the columns of the table with their color and marker
    "wrong labels (%)": {"features_accuracy": (FEATURES, "s"), "map_accuracy": (MAP, "o")},
    "silhouette of the classes": {"features_silhouette": (FEATURES, "s"), "map_silhouette": (MAP, "o")},
    "share of neighbors kept": {"kept_10": (MAP, "o"), "kept_30": (MAP, "D")},
    "faithfulness of the map": {
        "trustworthiness": (MAP, "^"),
        "continuity": (MAP, "v"),
        "distance_correlation": (MAP, "P"),
    },
}
NAMES = {
    "features_accuracy": "in the features",
    "map_accuracy": "in the map",
    "features_silhouette": "in the features",
    "map_silhouette": "in the map",
    "kept_10": "of 10",
    "kept_30": "of 30",
    "trustworthiness": "trustworthiness",
    "continuity": "continuity",
    "distance_correlation": "rank correlation\nof distances",
}

KEY = {
    "train": ("black", "training images"),
    "test": ("white", "test images, which network and map have not seen"),
}
APART = 0.12  # of the room of a layer: by how much the marks of the two splits stand beside its middle


class PlainLogFormatter(LogFormatter):
    """Matplotlib's choice of the numbers on a logarithmic axis, written as 0.6 where it has 6e-01."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        """What stands at x."""
        return f"{x:g}" if super().__call__(x, pos) else ""


def wrong(accuracies: pd.Series, rows: pd.Series) -> pd.Series:
    """Accuracies as percentages that are wrong; where nothing is, half an image is, since the axis is logarithmic."""
    return 100 * np.maximum(1 - accuracies, 0.5 / rows)


def draw_score(
    axes: Axes, table: pd.DataFrame, values: pd.Series, split: str, shift: float, color: str, marker: str
) -> None:
    """Each layer's mean with its range over the seeds: filled for training images, hollow for test images."""
    layers = list(dict.fromkeys(table.layer))
    groups = values[table.split == split].groupby(table.layer)
    mean, low, high = (getattr(groups, name)().reindex(layers) for name in ("mean", "min", "max"))
    style = {"markeredgecolor": color, "markerfacecolor": color if split == "train" else "white", "markersize": 4}
    axes.errorbar(
        np.arange(len(layers)) + shift,
        mean,
        yerr=np.maximum([mean - low, high - mean], 0),  # a mean of equal numbers can be off by its last digit
        fmt=marker,
        color=color,
        linewidth=0.8,
        capsize=1.5,
        **style,
    )


def plot_scores(table: pd.DataFrame) -> Figure:
    """A figure of the table that compare_layers writes, a row a layer, split and pair of seeds.

    A panel of which nothing is known is left out, as is the key of the splits where there are no test images.
    """
    layers = list(dict.fromkeys(table.layer))
    scores = list(NAMES)
    splits = [split for split in ("train", "test") if table.loc[table.split == split, scores].notna().any(axis=None)]
    known = {
        title: {column: style for column, style in columns.items() if table[column].notna().any()}
        for title, columns in PANELS.items()
    }
    panels = {title: columns for title, columns in known.items() if columns}
    in_a_row = len(panels) if len(layers) <= IN_A_ROW else math.ceil(len(panels) / 2)
    rows = math.ceil(len(panels) / in_a_row)
    turn = 0 if len(layers) <= LYING else 30
    if len(layers) > IN_A_ROW or len("".join(layers)) > LONG:
        turn = 90
    # of the longest key; that of the accuracies has the network's line, too
    lines = max(3, *(sum(1 + NAMES[column].count("\n") for column in columns) for columns in panels.values()))
    height = rows * (HEIGHT + lines * LINE / 72 + (max(map(len, layers)) * LETTER if turn == 90 else 0))
    figure = Figure((WIDTH, height), layout="constrained")
    grid = figure.subplots(rows, in_a_row, squeeze=False).flat
    for axes in list(grid)[len(panels) :]:
        axes.remove()
    for axes, (title, columns) in zip(figure.axes, panels.items(), strict=True):
        for column, (color, marker) in columns.items():
            values = wrong(table[column], table.rows) if column.endswith("accuracy") else table[column]
            for split, shift in zip(splits, (-APART, APART) if len(splits) > 1 else (0,), strict=True):
                draw_score(axes, table, values, split, shift, color, marker)
        axes.set_title(title, pad=lines * LINE)
        axes.set_xticks(range(len(layers)), layers, rotation=turn, parse_math=False)
        axes.set_xlim(-0.5, len(layers) - 0.5)
        axes.grid(axis="y", color="#e5e5e5", linewidth=0.5)
        axes.set_axisbelow(True)
        handles = [
            Line2D([], [], marker=marker, linestyle="", color=color, markersize=4, label=NAMES[column])
            for column, (color, marker) in columns.items()
        ]
        if title.startswith("wrong"):
            axes.set_yscale("log")
            axes.yaxis.set_major_formatter("{x:g}")
            axes.yaxis.set_minor_formatter(PlainLogFormatter(minor_thresholds=(2, 0.4)))  # numbers, if they are few
            network = 100 * (1 - table[table.split == "test"].network_accuracy.mean())
            if network > 0:
                axes.axhline(network, color="black", linewidth=0.6, linestyle=(0, (4, 3)))
                handles.append(
                    Line2D([], [], color="black", linewidth=0.6, linestyle=(0, (4, 3)), label="network, test")
                )
        axes.legend(
            handles=handles,
            loc="lower center",
            bbox_to_anchor=(0.5, 1),
            handletextpad=0.2,
            borderpad=0.1,
            labelspacing=0.2,
        )
    key = [
        Line2D([], [], marker="o", linestyle="", color="black", markerfacecolor=face, markersize=4, label=name)
        for face, name in map(KEY.get, splits)
    ]
    if len(splits) > 1:
        figure.legend(handles=key, loc="outside lower center", ncols=2)
    return figure


if __name__ == "__main__":
    with job(snakemake.log[0], "plot_scores"), matplotlib.rc_context(SMALL):
        figure = plot_scores(load_table(snakemake.input.table, *SCORES))
        save_figure(figure, snakemake.output.eps, snakemake.output.png, DPI)
