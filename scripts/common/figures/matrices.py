"""Matrices of the similarity of layers."""

from collections.abc import Sequence

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

PANELS = {"cka": "linear CKA", "overlap": "shared among the 10 nearest neighbors"}
COLORS = matplotlib.colormaps["Blues"]
MAX_NUMBERS = 14  # matrices up to which each cell has its number
DARK = 0.6  # value from which a number is white


def draw_matrix(axes: Axes, values: np.ndarray, names: Sequence[str], title: str) -> None:
    """Draw the values (n, n) of each pair of names, from 0 to 1, below the diagonal.

    Cells have their numbers if there are not too many.
    """
    values, below, left = values[1:, :-1], names[1:], names[:-1]
    for (row, column), value in np.ndenumerate(values):
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
    if len(names) <= MAX_NUMBERS:
        for (row, column), value in np.ndenumerate(values):
            if not np.isnan(value):
                color = "white" if value > DARK else "black"
                axes.text(column, row, f"{value:.2f}", ha="center", va="center", size=6, color=color)
