"""Draw a map as a scatter plot: a point an image, in its class's color."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from common.arrays import load, load_rows
from common.figures import class_colors, draw_map, save_figure
from common.jobs import job
from common.tables import load_predictions


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
    wrong: tuple[np.ndarray, np.ndarray] | None = None,
) -> Figure:
    """A square figure of a map (n, 2) with labels (n,) integers, each class named at the median of its points.

    `wrong` has the places (m, 2) and the labels (m,) of images to mark, each as a ring around its label's color.
    """
    size = size or style.size
    colors = class_colors(style.palette or palette, labels.max() + 1)
    figure = Figure((size, size))
    axes = figure.add_axes((0, 0, 1, 1))
    draw_map(axes, coordinates, labels, colors, size, style.edge)
    if wrong is not None and style.errors:
        ring = {"markersize": 0.6 * size, "markeredgewidth": 0.12 * size, "markeredgecolor": "black"}
        for place, label in zip(*wrong, strict=True):
            axes.plot(*place, "o", color=colors[label], **ring)
    if style.labels:
        for label in np.unique(labels):
            x, y = np.median(coordinates[labels == label], axis=0)
            halo = withStroke(linewidth=size * 0.6, foreground="white")
            text = {"size": size * 3, "weight": "bold", "ha": "center", "va": "center", "path_effects": [halo]}
            axes.text(x, y, str(label), color=0.6 * colors[label], **text)
    return figure


def find_errors(
    predictions: Mapping[str, pd.DataFrame], places: Mapping[str, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """The places (m, 2) and labels (m,) of the images that the network gets wrong.

    `predictions` are by split, as load_predictions has them, and so are the same images' `places` (n, 2) on a map.
    """
    wrong = {split: (rows.prediction != rows.label).to_numpy() for split, rows in predictions.items()}
    found = [(places[split][rows], predictions[split].label.to_numpy()[rows]) for split, rows in wrong.items()]
    return tuple(map(np.concatenate, zip(*found, strict=True)))


if __name__ == "__main__":
    with job(snakemake.log[0], f"plot_scatter {snakemake.wildcards.layer}"):
        coordinates, labels = load_rows(snakemake.input.map, snakemake.input.labels)
        style = STYLES[snakemake.params.style]
        wrong = None
        if snakemake.input.errors:
            path, test_map = snakemake.input.errors
            places = {"train": coordinates, "test": load(test_map)}
            wrong = find_errors(load_predictions(path, **{split: len(rows) for split, rows in places.items()}), places)
        figure = plot_scatter(coordinates, labels, snakemake.params.palette, style, snakemake.params.size, wrong)
        save_figure(figure, snakemake.output.eps, snakemake.output.png, style.dpi)
