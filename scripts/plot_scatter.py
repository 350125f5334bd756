"""Draw a map as a scatter plot: a point an image, in its class's color."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from common.arrays import load_rows
from common.figures import class_colors, draw_map, save_figure
from common.jobs import job


@dataclass(frozen=True)
class Style:
    """A look. The size is in inches."""

    size: float
    dpi: int  # of the PNG
    palette: str | None = None  # instead of the configuration's
    edge: str | None = None
    labels: bool = True
    errors: bool = True  # if they are asked for


STYLES = {
    "paper": Style(size=7, dpi=300),
    "notebook": Style(size=50, dpi=60, palette="jet", edge="red", labels=False, errors=False),
}


def plot_scatter(
    coordinates: np.ndarray,
    labels: np.ndarray,
    palette: str | Sequence[str],
    style: Style,
    size: float | None,
    wrong: np.ndarray | None = None,
) -> Figure:
    """A square figure of a map (n, 2) with labels (n,) integers, each class named at the median of its points.

    A ring marks each point that is `wrong` (n,), if that is given and the style has room for it.
    """
    size = size or style.size
    colors = class_colors(style.palette or palette, labels.max() + 1)
    figure = Figure((size, size))
    axes = figure.add_axes((0, 0, 1, 1))
    draw_map(axes, coordinates, labels, colors, size, style.edge)
    if wrong is not None and style.errors:
        ring = {"markersize": 0.7 * size, "markeredgewidth": 0.08 * size, "markeredgecolor": "black"}
        axes.plot(*coordinates[wrong].T, "o", markerfacecolor="none", **ring)
    if style.labels:
        for label in np.unique(labels):
            x, y = np.median(coordinates[labels == label], axis=0)
            halo = withStroke(linewidth=size * 0.6, foreground="white")
            text = {"size": size * 3, "weight": "bold", "ha": "center", "va": "center", "path_effects": [halo]}
            axes.text(x, y, str(label), color=0.6 * colors[label], **text)
    return figure


if __name__ == "__main__":
    with job(snakemake.log[0], f"plot_scatter {snakemake.wildcards.layer}"):
        coordinates, labels = load_rows(snakemake.input.map, snakemake.input.labels)
        style = STYLES[snakemake.params.style]
        wrong = None
        if snakemake.input.predictions:
            predictions = pd.read_csv(snakemake.input.predictions[0]).query("split == 'train'")
            wrong = (predictions.prediction != predictions.label).to_numpy()
        figure = plot_scatter(coordinates, labels, snakemake.params.palette, style, snakemake.params.size, wrong)
        save_figure(figure, snakemake.output.eps, snakemake.output.png, style.dpi)
