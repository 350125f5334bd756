"""The colors of the classes."""

from collections.abc import Sequence

import matplotlib
import numpy as np
from matplotlib.colors import is_color_like, to_rgb
from skimage.color import rgb2lab

from common.errors import UserError
from common.figures.style import NEUTRAL

LIGHTNESS = (35, 80)  # limits in CIELAB, within which a color differs from black and is legible on white
LEVELS = 26  # of red, green and blue, in the grid of colors


def distinct_colors(count: int) -> np.ndarray:
    """Return `count` distinct colors, (count, 3) float64 in [0, 1], always the same.

    The first ten are petroff10 (Petroff 2021), which readers with any color vision can tell apart. Each further color
    is the one of a grid of sRGB colors of medium lightness that is farthest in CIELAB from all before.
    """
    colors = np.array([to_rgb(color) for color in matplotlib.color_sequences["petroff10"]])
    steps = np.linspace(0, 1, LEVELS)
    grid = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(-1, 3)
    lab = rgb2lab(grid)
    medium = (lab[:, 0] >= LIGHTNESS[0]) & (lab[:, 0] <= LIGHTNESS[1])
    grid, lab = grid[medium], lab[medium]
    distance = np.linalg.norm(lab[:, None] - rgb2lab(colors), axis=2).min(axis=1)
    chosen = list(colors)
    while len(chosen) < count:
        farthest = distance.argmax()
        chosen.append(grid[farthest])
        distance = np.minimum(distance, np.linalg.norm(lab - lab[farthest], axis=1))
    return np.array(chosen[:count])


def class_colors(palette: str | Sequence[str], classes: int) -> np.ndarray:
    """Return one color a class, (classes, 3) float64 in [0, 1], or a single neutral color without classes.

    `palette` is a list of colors, the name of a color sequence or color map of matplotlib, or auto (distinct_colors).
    Raises UserError if it has too few colors, or one that matplotlib does not know.
    """
    if not classes:
        return np.array([to_rgb(NEUTRAL)])
    if not isinstance(palette, str):
        colors = list(palette)
    elif palette == "auto":
        colors = list(distinct_colors(classes))
    elif palette in matplotlib.color_sequences:
        colors = matplotlib.color_sequences[palette]
    elif palette in matplotlib.colormaps:
        colors = list(matplotlib.colormaps[palette](np.linspace(0, 1, classes)))
    else:
        raise UserError(f"figures.palette: matplotlib has no color sequence or color map {palette!r}. Set it to auto.")
    if len(colors) < classes:
        raise UserError(
            f"figures.palette: {len(colors)} colors for {classes} classes. Give one for each class, or set it to auto."
        )
    unknown = [color for color in colors if not is_color_like(color)]
    if unknown:
        raise UserError(f"figures.palette: matplotlib does not know the color {unknown[0]!r}. Give a name or #rrggbb.")
    return np.array([to_rgb(color) for color in colors[:classes]])
