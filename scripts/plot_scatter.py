"""Draw a map as a scatter plot: a point an image, in its class's color."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from common.arrays import load, load_classes, load_rows
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

LETTERS = (0.8, 3.0)  # points an inch of the figure, the smallest and the largest that names are lettered in
CHARACTERS = 20  # of all names together, up to which they have the largest
STEPS, ANGLES = 12, 12  # a name that another would cover is tried so many half lines away, in so many directions
FULL = 1 / 6  # of the page covered by names: there no more are written


def letter_size(classes: Sequence[str], size: float) -> float:
    """The names' size in points: the more there is to write in a figure `size` inches wide, the smaller."""
    return size * float(np.clip(LETTERS[1] * np.sqrt(CHARACTERS / sum(map(len, classes))), *LETTERS))


def name_classes(
    axes: Axes, coordinates: np.ndarray, labels: np.ndarray, classes: Sequence[str], colors: np.ndarray, size: float
) -> None:
    """Write each class's name at the median of its points, in axes that fill a figure `size` inches wide.

    The largest class comes first. A name that would cover another, or leave the figure, is moved to the nearest place
    where it does not. If there is none near, it is left out, and so are those for which the page is too full.
    """
    points = letter_size(classes, size)
    page, renderer = axes.figure.bbox, FigureCanvasAgg(axes.figure).get_renderer()
    step = points / 2 * axes.figure.dpi / 72
    turns = np.arange(ANGLES) / ANGLES * 2 * np.pi
    round_about = np.column_stack([2 * np.sin(turns), np.cos(turns)])  # above first; names are wider than high
    moves = np.concatenate([np.zeros((1, 2)), *(step * ring * round_about for ring in range(1, STEPS + 1))])
    style = {"size": points, "weight": "bold", "ha": "center", "va": "center", "parse_math": False}
    taken = np.empty((0, 4))  # left, bottom, right, top of the names that are there
    numbers, counts = np.unique(labels, return_counts=True)
    for label in numbers[np.argsort(-counts, kind="stable")]:
        place = np.median(coordinates[labels == label], axis=0)
        halo = withStroke(linewidth=points / 5, foreground="white")
        text = axes.text(*place, classes[label], color=0.6 * colors[label], path_effects=[halo], **style)
        box = text.get_window_extent(renderer)
        boxes = np.array(box.extents) + np.tile(moves, 2)
        boxes += np.tile(np.maximum(page.min - boxes[:, :2], 0) + np.minimum(page.max - boxes[:, 2:], 0), 2)
        apart = (boxes[:, None, :2] >= taken[:, 2:]) | (boxes[:, None, 2:] <= taken[:, :2])
        free = np.flatnonzero(apart.any(axis=2).all(axis=1))
        if not len(free) or np.prod(taken[:, 2:] - taken[:, :2], axis=1).sum() > FULL * np.prod(page.size):
            text.remove()
            continue
        taken = np.vstack([taken, boxes[free[0]]])
        moved = boxes[free[0], :2] - box.min
        if moved.any():
            text.set_position(axes.transData.inverted().transform(axes.transData.transform(place) + moved))


def plot_scatter(
    coordinates: np.ndarray,
    labels: np.ndarray,
    classes: Sequence[str],
    palette: str | Sequence[str],
    style: Style,
    size: float | None,
    wrong: tuple[np.ndarray, np.ndarray] | None = None,
) -> Figure:
    """A square figure of a map (n, 2) with labels (n,) integers that number the names `classes`, written near medians.

    Without `classes` there are no labels: all is of one color, and nothing named. `wrong` has the places (m, 2) and the
    labels (m,) of images to mark, each as a ring around its label's color.
    """
    size = size or style.size
    colors = class_colors(style.palette or palette, len(classes))
    figure = Figure((size, size))
    axes = figure.add_axes((0, 0, 1, 1))
    draw_map(axes, coordinates, labels, colors, size, style.edge)
    if wrong is not None and style.errors:
        ring = {"markersize": 0.6 * size, "markeredgewidth": 0.12 * size, "markeredgecolor": "black"}
        for place, label in zip(*wrong, strict=True):
            axes.plot(*place, "o", color=colors[label], **ring)
    if style.labels and classes:
        name_classes(axes, coordinates, labels, classes, colors, size)
    return figure


def find_errors(
    predictions: Mapping[str, pd.DataFrame], places: Mapping[str, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """The places (m, 2) and labels (m,) of the images that the network gets wrong.

    `predictions` are by split, as load_predictions has them, and so are the same images' `places` (n, 2) on a map. Of a
    network that does not predict the classes they are empty, and nothing is wrong.
    """
    wrong = {split: (rows.prediction != rows.label) & rows.prediction.notna() for split, rows in predictions.items()}
    found = [(places[split][rows], predictions[split].label[rows].astype(int)) for split, rows in wrong.items()]
    return tuple(map(np.concatenate, zip(*found, strict=True)))


if __name__ == "__main__":
    with job(snakemake.log[0], f"plot_scatter {snakemake.wildcards.layer}"):
        coordinates, labels = load_rows(snakemake.input.map, snakemake.input.labels)
        classes = load_classes(snakemake.input.classes)
        style, size = STYLES[snakemake.params.style], snakemake.params.size
        wrong = None
        if snakemake.input.errors:
            path, test_map = snakemake.input.errors
            places = {"train": coordinates, "test": load(test_map)}
            wrong = find_errors(load_predictions(path, **{split: len(rows) for split, rows in places.items()}), places)
        figure = plot_scatter(coordinates, labels, classes, snakemake.params.palette, style, size, wrong)
        save_figure(figure, snakemake.output.eps, snakemake.output.png, style.dpi)
