"""Draw a map as a scatter plot: a point an image, in its class's color."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from common.arrays import load_rows
from common.figures import class_colors, frame, save_figure
from common.jobs import job

ROUNDS = 20  # the points are drawn in so many random rounds, so that no class hides another


@dataclass(frozen=True)
class Style:
    """A look. Sizes are in inches, `coverage` is the share of the frame that the points would cover side by side."""

    size: float
    coverage: float
    dpi: int  # of the PNG
    palette: str | None = None  # instead of the configuration's
    edge: str | None = None
    labels: bool = True


STYLES = {
    "paper": Style(size=7, coverage=0.5, dpi=300),
    "notebook": Style(size=50, coverage=0.5, dpi=60, palette="jet", edge="red", labels=False),
}


def plot_scatter(
    coordinates: np.ndarray, labels: np.ndarray, palette: str | Sequence[str], style: Style, size: float | None
) -> Figure:
    """A square figure of a map (n, 2) with labels (n,) integers, each class named at the median of its points."""
    size = size or style.size
    center, side = frame(coordinates)
    classes = np.unique(labels)
    colors = class_colors(style.palette or palette, classes.max() + 1)
    marker = 72 * size * np.sqrt(style.coverage / len(labels) * 4 / np.pi)  # points of 1/72 inch
    marker = min(marker, 0.01 * 72 * size)

    figure = Figure((size, size))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set_xlim(center[0] - side / 2, center[0] + side / 2)
    axes.set_ylim(center[1] - side / 2, center[1] + side / 2)
    edge = (
        {"markeredgewidth": 0} if style.edge is None else {"markeredgewidth": marker / 8, "markeredgecolor": style.edge}
    )
    for rows in np.array_split(np.random.default_rng(0).permutation(len(labels)), ROUNDS):
        for label in classes:
            x, y = coordinates[rows[labels[rows] == label]].T
            axes.plot(x, y, "o", color=colors[label], markersize=marker, **edge)
    if style.labels:
        for label in classes:
            x, y = np.median(coordinates[labels == label], axis=0)
            halo = withStroke(linewidth=size * 0.6, foreground="white")
            text = {"size": size * 3, "weight": "bold", "ha": "center", "va": "center", "path_effects": [halo]}
            axes.text(x, y, str(label), color=0.6 * colors[label], **text)
    return figure


if __name__ == "__main__":
    with job(snakemake.log[0], f"plot_scatter {snakemake.wildcards.layer}"):
        coordinates, labels = load_rows(snakemake.input.map, snakemake.input.labels)
        style = STYLES[snakemake.params.style]
        figure = plot_scatter(coordinates, labels, snakemake.params.palette, style, snakemake.params.size)
        save_figure(figure, snakemake.output.eps, snakemake.output.png, style.dpi)
