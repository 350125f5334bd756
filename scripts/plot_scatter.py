"""Draw an embedding as a scatter plot, each image a point in the color of its class."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from common.figures.files import save_figure
from common.figures.maps import draw_map
from common.figures.palette import class_colors
from common.figures.style import DPI, PAGE_WIDTH
from common.inputs import load_array, load_classes, load_rows
from common.logs import run_logged
from common.tables import load_predictions


@dataclass(frozen=True)
class Style:
    """The style of a scatter plot."""

    size: float  # inches
    dpi: int  # of the PNG
    palette: str | None = None  # replaces that of the configuration
    edge: str | None = None
    labels: bool = True
    errors: bool = True  # marked if the configuration says so


STYLES = {
    "paper": Style(size=PAGE_WIDTH, dpi=DPI),
    "notebook": Style(size=50, dpi=60, palette="jet", edge="red", labels=False, errors=False),
}

TYPE_SIZES = (0.8, 3.0)  # smallest and largest size of class names, in points an inch of the figure
CHARACTERS = 20  # total length of the names up to which they have the largest size
STEPS, ANGLES = 12, 12  # distances, in half lines, and directions in which a name is moved to avoid another
MAX_COVERED = 1 / 6  # share of the page that names may cover


def type_size(classes: Sequence[str], size: float) -> float:
    """Return the size of the class names in points, smaller for longer names, in a figure `size` inches wide."""
    return size * float(np.clip(TYPE_SIZES[1] * np.sqrt(CHARACTERS / sum(map(len, classes))), *TYPE_SIZES))


def name_classes(
    axes: Axes, coordinates: np.ndarray, labels: np.ndarray, classes: Sequence[str], colors: np.ndarray, size: float
) -> None:
    """Write each class name at the median of its points, in axes that fill a figure `size` inches wide.

    The largest class comes first. A name that would cover another, or leave the figure, is moved to the nearest free
    position. If there is none nearby, or the names cover MAX_COVERED of the page, it is left out.
    """
    points = type_size(classes, size)
    page, renderer = axes.figure.bbox, FigureCanvasAgg(axes.figure).get_renderer()
    step = points / 2 * axes.figure.dpi / 72
    angles = np.arange(ANGLES) / ANGLES * 2 * np.pi
    directions = np.column_stack([2 * np.sin(angles), np.cos(angles)])  # above first; names are wider than high
    moves = np.concatenate([np.zeros((1, 2)), *(step * ring * directions for ring in range(1, STEPS + 1))])
    style = {"size": points, "weight": "bold", "ha": "center", "va": "center", "parse_math": False}
    taken = np.empty((0, 4))  # left, bottom, right, top of each name on the page
    numbers, counts = np.unique(labels, return_counts=True)
    for label in numbers[np.argsort(-counts, kind="stable")]:
        position = np.median(coordinates[labels == label], axis=0)
        halo = withStroke(linewidth=points / 5, foreground="white")
        text = axes.text(*position, classes[label], color=0.6 * colors[label], path_effects=[halo], **style)
        box = text.get_window_extent(renderer)
        boxes = np.array(box.extents) + np.tile(moves, 2)
        boxes += np.tile(np.maximum(page.min - boxes[:, :2], 0) + np.minimum(page.max - boxes[:, 2:], 0), 2)
        apart = (boxes[:, None, :2] >= taken[:, 2:]) | (boxes[:, None, 2:] <= taken[:, :2])
        free = np.flatnonzero(apart.any(axis=2).all(axis=1))
        if not len(free) or np.prod(taken[:, 2:] - taken[:, :2], axis=1).sum() > MAX_COVERED * np.prod(page.size):
            text.remove()
            continue
        taken = np.vstack([taken, boxes[free[0]]])
        moved = boxes[free[0], :2] - box.min
        if moved.any():
            text.set_position(axes.transData.inverted().transform(axes.transData.transform(position) + moved))


def plot_scatter(
    coordinates: np.ndarray,
    labels: np.ndarray,
    classes: Sequence[str],
    palette: str | Sequence[str],
    style: Style,
    size: float | None,
    wrong: tuple[np.ndarray, np.ndarray] | None = None,
) -> Figure:
    """Return a square figure of an embedding (n, 2) with labels (n,), numbers of the names `classes`.

    Without `classes` all points have one color, without names. `wrong` has the coordinates (m, 2) and labels (m,) of
    images to mark, each by a ring around the color of its label.
    """
    size = size or style.size
    colors = class_colors(style.palette or palette, len(classes))
    figure = Figure((size, size))
    axes = figure.add_axes((0, 0, 1, 1))
    draw_map(axes, coordinates, labels, colors, size, style.edge)
    if wrong is not None and style.errors:
        ring = {"markersize": 0.6 * size, "markeredgewidth": 0.12 * size, "markeredgecolor": "black"}
        for position, label in zip(*wrong, strict=True):
            axes.plot(*position, "o", color=colors[label], **ring)
    if style.labels and classes:
        name_classes(axes, coordinates, labels, classes, colors, size)
    return figure


def find_errors(
    predictions: Mapping[str, pd.DataFrame], coordinates: Mapping[str, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the coordinates (m, 2) and labels (m,) of the images that the network misclassifies.

    `predictions`, as load_predictions returns them, and `coordinates` (n, 2) are by split. Empty predictions, of a
    network that does not predict these classes, are not wrong.
    """
    wrong = {split: (rows.prediction != rows.label) & rows.prediction.notna() for split, rows in predictions.items()}
    parts = [(coordinates[split][rows], predictions[split].label[rows].astype(int)) for split, rows in wrong.items()]
    return tuple(map(np.concatenate, zip(*parts, strict=True)))


if __name__ == "__main__":
    with run_logged(snakemake.log[0], f"plot_scatter {snakemake.wildcards.layer}"):
        coordinates, labels = load_rows(snakemake.input.map, snakemake.input.labels)
        classes = load_classes(snakemake.input.classes)
        style, size = STYLES[snakemake.params.style], snakemake.params.size
        wrong = None
        if snakemake.input.errors:
            path, test_map = snakemake.input.errors
            by_split = {"train": coordinates, "test": load_array(test_map)}
            predictions = load_predictions(path, **{split: len(rows) for split, rows in by_split.items()})
            wrong = find_errors(predictions, by_split)
        figure = plot_scatter(coordinates, labels, classes, snakemake.params.palette, style, size, wrong)
        save_figure(figure, snakemake.output.eps, snakemake.output.png, style.dpi)
