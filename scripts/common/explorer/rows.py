"""The rows that the explorer shows, if a data set has too many."""

import numpy as np
import pandas as pd


def choose_rows(maps: pd.DataFrame, count: int) -> np.ndarray:
    """Return the numbers of the rows of maps.csv that the page shows, ascending: all, or a sample of `count`.

    Held-out rows and wrong predictions come first, the others are drawn at random from each class in proportion to its
    size. If there are more than `count` of the first, these are drawn so. The sample is always the same.
    """
    if len(maps) <= count:
        return np.arange(len(maps))
    first = (maps.split != "train").to_numpy(copy=True)
    if "prediction" in maps and "label" in maps:
        first |= (maps.prediction != maps.label).to_numpy()
    labels = maps.label.to_numpy() if "label" in maps else np.zeros(len(maps), int)
    kept, others = np.flatnonzero(first), np.flatnonzero(~first)
    if len(kept) > count:
        return np.sort(draw_by_class(kept, labels[kept], count))
    return np.sort(np.concatenate([kept, draw_by_class(others, labels[others], count - len(kept))]))


def draw_by_class(rows: np.ndarray, labels: np.ndarray, count: int) -> np.ndarray:
    """Return `count` of the rows (n,), from each class in proportion to its number of rows."""
    order = np.random.default_rng(0).permutation(len(rows))
    order = order[np.argsort(labels[order], kind="stable")]  # class after class, each in random order
    return rows[order[np.arange(count) * len(rows) // count]] if count else rows[:0]


def renumber(neighbors: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return neighbors (n, k), numbers of training rows, as their places among some of these `rows` (m,), ascending.

    A neighbor that is not among them becomes m.
    """
    places = np.full(max(neighbors.max(initial=0), rows.max(initial=0)) + 1, len(rows))
    places[rows] = np.arange(len(rows))
    return places[neighbors]
