"""The number of neighbors that t-SNE needs. It is read with the configuration, so it imports no library."""

import math

from common.errors import UserError
from common.scoring.parameters import MIN_ROWS


def n_neighbors(perplexity: float) -> int:
    """Return the number of neighbors that get an affinity: three times the perplexity, as in openTSNE."""
    return int(3 * perplexity)


def fit_perplexity(perplexity: float, rows: int) -> float:
    """Return the perplexity, or a lower one if so many rows have fewer neighbors than it needs, in hundredths."""
    return perplexity if n_neighbors(perplexity) < rows else math.floor(100 * (rows - 1) / 3) / 100


def limit_neighbors(k: int, rows: int) -> int:
    """Return how many neighbors a row can have among so many rows, at most k."""
    return min(k, rows - 1)


def check_n_rows(rows: int, noun: str = "training images") -> None:
    """Raise UserError unless there are enough rows for the scores; the message calls them by the `noun`."""
    if rows < MIN_ROWS:
        raise UserError(f"There are {rows} {noun}, and the scores need at least {MIN_ROWS}. Give more {noun}.")
