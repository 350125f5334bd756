"""The names of the classes on an embedding."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.patheffects import withStroke

from common.figures.fonts import style_names

MAX_LENGTH = 24  # characters of a name
TYPE_SIZES = (0.8, 3.0)  # smallest and largest size of class names, in points an inch of the axes
CHARACTERS = 20  # total length of the names up to which they have the largest size
STEPS, ANGLES = 12, 12  # distances, in half lines, and directions in which a name is moved to avoid another
MAX_COVERED = 1 / 6  # share of the page that names may cover


def shorten(name: str, length: int = MAX_LENGTH) -> str:
    """Return a class name of at most `length` characters, the last of which is an ellipsis if it is cut."""
    return name if len(name) <= length else f"{name[: length - 1]}…"


def type_size(classes: Sequence[str], size: float) -> float:
    """Return the size of the class names in points, smaller for longer names, in axes `size` inches wide."""
    return size * float(np.clip(TYPE_SIZES[1] * np.sqrt(CHARACTERS / sum(map(len, classes))), *TYPE_SIZES))


def name_classes(
    axes: Axes, coordinates: np.ndarray, labels: np.ndarray, classes: Sequence[str], colors: np.ndarray, points: float
) -> None:
    """Write each class name at the median of its points (n, 2), in a type size in points.

    The largest class comes first. A name that would cover another, or leave the axes, is moved to the nearest free
    position. If there is none nearby, or the names cover MAX_COVERED of the axes, it is left out.
    """
    page, renderer = axes.bbox, FigureCanvasAgg(axes.figure).get_renderer()
    step = points / 2 * axes.figure.dpi / 72
    angles = np.arange(ANGLES) / ANGLES * 2 * np.pi
    directions = np.column_stack([2 * np.sin(angles), np.cos(angles)])  # above first; names are wider than high
    moves = np.concatenate([np.zeros((1, 2)), *(step * ring * directions for ring in range(1, STEPS + 1))])
    style = {"size": points, "weight": "bold", "ha": "center", "va": "center", "parse_math": False}
    style |= style_names(classes)
    taken = np.empty((0, 4))  # left, bottom, right, top of each name
    numbers, counts = np.unique(labels, return_counts=True)
    for label in numbers[np.argsort(-counts, kind="stable")]:
        position = np.median(coordinates[labels == label], axis=0)
        halo = withStroke(linewidth=points / 5, foreground="white")
        text = axes.text(*position, classes[label], color=0.6 * colors[label], **style | {"path_effects": [halo]})
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
