"""Matrices of the similarity of layers."""

from collections.abc import Mapping, Sequence

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from common.figures.style import ANNOTATION, PAGE_WIDTH

PANELS = {"cka": "linear CKA", "overlap": "shared among the 10 nearest neighbors"}
COLORS = matplotlib.colormaps["Blues"]
MAX_SMALL = 14  # layers up to which two matrices side by side have numbers in their cells
MAX_NUMBERS = 20  # the same of two matrices one below the other
TALL = (5.2, 9.6)  # inches: of these
DARK = 0.6  # value from which a number is white


def plot_matrices(matrices: Mapping[str, np.ndarray], names: Sequence[str], about: str) -> Figure:
    """Return a figure of the matrices (n, n) by score (PANELS), with values from 0 to 1 for each pair of names.

    Few names are small enough for two matrices side by side. Cells have their numbers, or with too many names, the
    figure has a color bar. `about` is written below.
    """
    is_small = len(names) <= MAX_SMALL
    figure = Figure((PAGE_WIDTH, PAGE_WIDTH / 2 + 0.6) if is_small else TALL, layout="constrained")
    panels = figure.subplots(*((1, 2) if is_small else (2, 1)))
    has_numbers = len(names) <= MAX_NUMBERS
    for axes, (score, title) in zip(panels, PANELS.items(), strict=True):
        draw_matrix(axes, matrices[score], names, title)
        if has_numbers:
            write_numbers(axes, matrices[score], 6 if is_small else 5)
    if not has_numbers:
        bar = figure.colorbar(ScalarMappable(Normalize(0, 1), COLORS), ax=panels, shrink=0.3, aspect=15)
        bar.outline.set_visible(False)
    figure.supxlabel(about, size=7, color=ANNOTATION)
    return figure


def draw_matrix(axes: Axes, values: np.ndarray, names: Sequence[str], title: str) -> None:
    """Draw the values (n, n) of each pair of names below the diagonal as colors; NaN is left out."""
    below, left = names[1:], names[:-1]
    for (row, column), value in np.ndenumerate(values[1:, :-1]):
        if not np.isnan(value):
            axes.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, color=COLORS(value), linewidth=0))
    axes.set_xlim(-0.5, len(left) - 0.5)
    axes.set_ylim(len(below) - 0.5, -0.5)
    axes.set_aspect("equal")
    axes.set_title(title, fontsize=7)
    axes.set_xticks(range(len(left)), left, rotation=90, parse_math=False)
    axes.set_yticks(range(len(below)), below, parse_math=False)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def write_numbers(axes: Axes, values: np.ndarray, size: float) -> None:
    """Write the values (n, n) below the diagonal into the cells of draw_matrix, in type of `size` points."""
    for (row, column), value in np.ndenumerate(values[1:, :-1]):
        if not np.isnan(value):
            color = "white" if value > DARK else "black"
            axes.text(column, row, f"{value:.2f}", ha="center", va="center", size=size, color=color)
