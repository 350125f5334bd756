"""The number of neighbors that t-SNE needs. It is read with the configuration, so it imports no library."""

from common.errors import UserError


def n_neighbors(perplexity: float) -> int:
    """Return the number of neighbors that get an affinity: three times the perplexity, as in openTSNE."""
    return int(3 * perplexity)


def check_n_rows(rows: int, k: int, noun: str = "images") -> None:
    """Raise UserError unless there are more than k rows, which the message calls by the `noun`."""
    if rows <= k:
        raise UserError(
            f"There are {rows} {noun}, and {k} neighbors of each are needed (3 x tsne.perplexity, at least 30). "
            f"Give more {noun} or lower tsne.perplexity."
        )
