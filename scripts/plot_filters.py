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
    """Filters (height, width, channels, n) side by side, a masked line between them, as a masked 2-D array.

    Of more channels than one with a third axis for them. The grid is square, but for rows that would be empty.
    """
    height, width, channels, n = filters.shape
    columns = math.ceil(math.sqrt(n))
    rows = math.ceil(n / columns)
    grid = np.ma.masked_all((rows * (height + 1) - 1, columns * (width + 1) - 1, channels))
    for number in range(n):
        top, left = number // columns * (height + 1), number % columns * (width + 1)
        grid[top : top + height, left : left + width] = filters[:, :, :, number]
    return grid[:, :, 0] if channels == 1 else grid


def as_pictures(filters: np.ndarray) -> np.ndarray:
    """Filters (height, width, 3, n) as colors in [0, 1]: grey is zero, and each filter has all of its own range."""
    limits = np.abs(filters).max(axis=(0, 1, 2))
    return 0.5 + filters / (2 * np.where(limits > 0, limits, 1))


def plot_filters(filters: np.ndarray, size: float) -> Figure:
    """A figure, `size` inches wide, of filters (height, width, channels, n).

    Of one channel red stands for positive weights, blue for negative. Three are shown as red, green and blue, each
    filter scaled to a range of its own around grey, which is zero, so that only within a filter are weights comparable.
    Of any other number of channels is shown the mean weight, like one channel.
    """
    color = filters.shape[2] == 3
    shown = as_pictures(filters) if color else filters.mean(axis=2, keepdims=True)
    grid = as_grid(shown)
    figure = Figure((size, (1 if color else 0.8) * size * grid.shape[0] / grid.shape[1]), layout="constrained")
    axes = figure.add_subplot()
    axes.set_axis_off()
    axes.set_aspect("equal")
    axes.invert_yaxis()
    if color:
        axes.pcolormesh(grid.filled(1), edgecolors="face", linewidth=0.1)
        return figure
    limit = np.abs(shown).max()
    tints = colormaps["RdBu_r"].resampled(
        65
    )  # an odd number, so that zero is white; each is a shape in the EPS's color bar
    cells = axes.pcolormesh(grid, cmap=tints, vmin=-limit, vmax=limit, edgecolors="face", linewidth=0.1)
    bar = figure.colorbar(cells, ax=axes, fraction=0.06, pad=0.04)
    bar.set_label("weight" if filters.shape[2] == 1 else "mean weight of the channels", size=8)
    bar.ax.tick_params(labelsize=8)
    return figure


if __name__ == "__main__":
    with job(snakemake.log[0], "plot_filters"):
        figure = plot_filters(load(snakemake.input.filters), snakemake.params.size)
        save_figure(figure, snakemake.output.eps, snakemake.output.png, DPI)
