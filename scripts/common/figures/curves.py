"""Curves of scores: a panel for each score, with a line for each layer or network."""

import math
from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from common.figures.score_axes import Interval, set_log_axis
from common.figures.style import GRID_COLOR

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
LOGARITHMIC = ("separation_fuzziness",)  # as errors are
IN_A_ROW = 4
PANEL_HEIGHT = 1.9  # inches
COLORS = ("#3f90da", "#bd1f01", "#717581", "#e76300", "#832db6", "#a96b59", "#92dadd", "#94a4a2")
MARKERS = "osD^vPX*"


def line_style(number: int) -> dict[str, Any]:
    """Return the look of a line by its number; color and marker tell it from the others, also in grey."""
    return {"color": COLORS[number % len(COLORS)], "marker": MARKERS[number % len(MARKERS)], "markersize": 3.5}


def count_rows(scores: Sequence[str]) -> int:
    """Return the number of rows of panels for some scores."""
    return math.ceil(len(scores) / IN_A_ROW)


def add_panels(figure: Figure, scores: Sequence[str], label: str) -> list[Axes]:
    """Return a panel of a figure for each score, with its title and the label of the horizontal axis."""
    panels = list(figure.subplots(count_rows(scores), min(IN_A_ROW, len(scores)), squeeze=False).flat)
    for axes, score in zip(panels, scores, strict=False):
        axes.grid(axis="y", color=GRID_COLOR, linewidth=0.5)
        axes.set_axisbelow(True)
        axes.set_title(PANELS[score], fontsize=7)
        axes.set_xlabel(label, fontsize=7)
    for axes in panels[len(scores) :]:
        axes.set_axis_off()
    return panels[: len(scores)]


def draw_curve(axes: Axes, places: Sequence[float], intervals: Sequence[Interval], **style: Any) -> list[float]:
    """Draw means with their intervals, where these are known, at some places, and return all numbers that are drawn."""
    means = [interval["mean"] for interval in intervals]
    ends = [
        [0 if interval[end] is None else abs(interval["mean"] - interval[end]) for interval in intervals]
        for end in ("low", "high")
    ]
    axes.errorbar(places, means, yerr=ends, elinewidth=0.7, **style)
    return [value for interval in intervals for value in interval.values() if value is not None]


def set_score_axis(axes: Axes, score: str, drawn: Sequence[float]) -> None:
    """Give errors and ratios a logarithmic axis for the numbers that are drawn."""
    if drawn and ("accuracy" in score or score in LOGARITHMIC):
        set_log_axis(axes, drawn)
