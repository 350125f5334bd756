"""Draw the filters of a convolution in a square grid."""

import math

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure

from common.arrays import load
from common.figures import save_figure
from common.jobs import job

DPI = 300


def as_grid(filters: np.ndarray) -> np.ndarray:
    """Filters (height, width, 1, n) side by side, a masked line between them, as a masked 2-D array.

    The grid is square, but for rows that would be empty.
    """
    height, width, _, n = filters.shape
    columns = math.ceil(math.sqrt(n))
    rows = math.ceil(n / columns)
    grid = np.ma.masked_all((rows * (height + 1) - 1, columns * (width + 1) - 1))
    for number in range(n):
        top, left = number // columns * (height + 1), number % columns * (width + 1)
        grid[top : top + height, left : left + width] = filters[:, :, 0, number]
    return grid


def plot_filters(filters: np.ndarray, size: float) -> Figure:
    """A figure, `size` inches wide, of filters (height, width, 1, n): red for positive weights, blue for negative."""
    grid = as_grid(filters)
    limit = np.abs(filters).max()
    figure = Figure((size, 0.8 * size * grid.shape[0] / grid.shape[1]), layout="constrained")
    axes = figure.add_subplot()
    axes.set_axis_off()
    axes.set_aspect("equal")
    axes.invert_yaxis()
    tints = colormaps["RdBu_r"].resampled(
        65
    )  # an odd number, so that zero is white; each is a shape in the EPS's color bar
    cells = axes.pcolormesh(grid, cmap=tints, vmin=-limit, vmax=limit, edgecolors="face", linewidth=0.1)
    bar = figure.colorbar(cells, ax=axes, fraction=0.06, pad=0.04)
    bar.set_label("weight", size=8)
    bar.ax.tick_params(labelsize=8)
    return figure


if __name__ == "__main__":
    with job(snakemake.log[0], "plot_filters"):
        figure = plot_filters(load(snakemake.input.filters), snakemake.params.size)
        save_figure(figure, snakemake.output.eps, snakemake.output.png, DPI)
