"""Draw the filters of the first convolution in a square grid."""

import math

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure

from common.figures.files import save_figure
from common.figures.style import DPI
from common.inputs import load_array
from common.logs import run_logged


def arrange_filters(filters: np.ndarray) -> np.ndarray:
    """Return filters (height, width, channels, n) side by side, with a masked line between them, as a masked array.

    It is 2-D for one channel, else it has a third axis of channels. The grid is square, without empty rows.
    """
    height, width, channels, n = filters.shape
    columns = math.ceil(math.sqrt(n))
    rows = math.ceil(n / columns)
    grid = np.ma.masked_all((rows * (height + 1) - 1, columns * (width + 1) - 1, channels))
    for number in range(n):
        top, left = number // columns * (height + 1), number % columns * (width + 1)
        grid[top : top + height, left : left + width] = filters[:, :, :, number]
    return grid[:, :, 0] if channels == 1 else grid


def scale_filters(filters: np.ndarray) -> np.ndarray:
    """Return filters (height, width, 3, n) as colors in [0, 1]: gray is 0, and each filter has its own range."""
    limits = np.abs(filters).max(axis=(0, 1, 2))
    return 0.5 + filters / (2 * np.where(limits > 0, limits, 1))


def plot_filters(filters: np.ndarray, size: float) -> Figure:
    """Return a figure, `size` inches wide, of filters (height, width, channels, n).

    With one channel, red is positive and blue negative. Three channels are red, green and blue, each filter scaled to
    its own range around gray, which is 0, so weights are comparable within a filter only. With any other number of
    channels the figure shows the mean weight over the channels.
    """
    color = filters.shape[2] == 3
    shown = scale_filters(filters) if color else filters.mean(axis=2, keepdims=True)
    grid = arrange_filters(shown)
    figure = Figure((size, (1 if color else 0.8) * size * grid.shape[0] / grid.shape[1]), layout="constrained")
    axes = figure.add_subplot()
    axes.set_axis_off()
    axes.set_aspect("equal")
    axes.invert_yaxis()
    if color:
        axes.pcolormesh(grid.filled(1), edgecolors="face", linewidth=0.1)
        return figure
    limit = np.abs(shown).max()
    # an odd number of tints, so that 0 is white; each is a shape in the color bar of the EPS
    tints = colormaps["RdBu_r"].resampled(65)
    cells = axes.pcolormesh(grid, cmap=tints, vmin=-limit, vmax=limit, edgecolors="face", linewidth=0.1)
    bar = figure.colorbar(cells, ax=axes, fraction=0.06, pad=0.04)
    bar.set_label("weight" if filters.shape[2] == 1 else "mean weight of the channels", size=8)
    bar.ax.tick_params(labelsize=8)
    return figure


if __name__ == "__main__":
    with run_logged(snakemake.log[0], "plot_filters"):
        figure = plot_filters(load_array(snakemake.input.filters), snakemake.params.size)
        save_figure(figure, snakemake.output.eps, snakemake.output.png, DPI)
