"""The frame and the points of an embedding, which all its figures share."""

import numpy as np
from matplotlib.axes import Axes

MARGIN = 0.03  # around the outermost point, relative to the side of the frame
COVERAGE = 0.5  # share of the frame that the points would cover side by side
ROUNDS = 20  # random subsets that are drawn one after the other
MAX_GROUPS = 2000  # pairs of a subset and a class, each of which is an object in the file


def find_frame(coordinates: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the square that every figure of an embedding (n, 2) shows: its center (2,) and its side."""
    low, high = coordinates.min(axis=0), coordinates.max(axis=0)
    extent = float((high - low).max()) or 1.0  # any side will do for a single point
    return (low + high) / 2, extent * (1 + 2 * MARGIN)


def draw_map(
    axes: Axes,
    coordinates: np.ndarray,
    labels: np.ndarray,
    colors: np.ndarray,
    size: float,
    edge: str | None = None,
    frame: tuple[np.ndarray, float] | None = None,
) -> None:
    """Draw an embedding (n, 2) into square axes that are `size` inches wide, each point in the color of its label.

    Points are so large that side by side they would cover COVERAGE of the frame. They are drawn in random order, so
    that no class hides another, but many at a time, which keeps the file small. `edge` is the color of their edges,
    `frame` the center and the side of the square to show, if it is not that of find_frame.
    """
    center, side = frame or find_frame(coordinates)
    axes.set_axis_off()
    axes.set_aspect("equal")
    axes.set_xlim(center[0] - side / 2, center[0] + side / 2)
    axes.set_ylim(center[1] - side / 2, center[1] + side / 2)
    marker = 72 * size * min(np.sqrt(COVERAGE / len(labels) * 4 / np.pi), 0.01)  # in points
    edges = {"markeredgewidth": 0} if edge is None else {"markeredgewidth": marker / 8, "markeredgecolor": edge}
    rounds = min(ROUNDS, max(1, MAX_GROUPS // len(colors)))
    for rows in np.array_split(np.random.default_rng(0).permutation(len(labels)), rounds):
        for label in np.unique(labels):
            x, y = coordinates[rows[labels[rows] == label]].T
            axes.plot(x, y, "o", color=colors[label], markersize=marker, **edges)


def draw_rings(axes: Axes, coordinates: np.ndarray, labels: np.ndarray, colors: np.ndarray, size: float) -> None:
    """Mark points (m, 2) by rings around the colors of their labels (m,), in axes that are `size` inches wide."""
    ring = {"markersize": 0.6 * size, "markeredgewidth": 0.12 * size, "markeredgecolor": "black"}
    for position, label in zip(coordinates, labels, strict=True):
        axes.plot(*position, "o", color=colors[label], **ring)
