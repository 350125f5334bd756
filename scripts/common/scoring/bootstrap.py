"""Intervals by a bootstrap over images, crossed with networks and embeddings where there are several.

Blocks of consecutive images are drawn with replacement, since images that follow each other can have one origin, such
as a writer. The same blocks, networks and embeddings are drawn for all scores and layers, so differences are paired
(Efron and Tibshirani 1993, An Introduction to the Bootstrap, sections 8 and 13; crossed: Owen 2007,
https://doi.org/10.1214/07-AOAS122).
"""

from collections.abc import Sequence

import numpy as np

from common.scoring.parameters import BLOCK_ROWS, MIN_BLOCKS, N_RESAMPLES

LEVELS = (2.5, 97.5)  # percentiles of a 95 % interval


def draw_counts(units: int, seed: int) -> np.ndarray:
    """Return how often each of some units is drawn in each resample, (N_RESAMPLES, units).

    One unit less is drawn than there are, so that the variance has no bias where there are few (Rao and Wu 1988,
    https://doi.org/10.1080/01621459.1988.10478591).
    """
    draws = max(1, units - 1)
    return np.random.default_rng(seed).multinomial(draws, np.full(units, 1 / units), N_RESAMPLES).astype(float)


def sum_blocks(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the sum and the number of the values (n,) that are known in each block of consecutive ones, (blocks,).

    Blocks have BLOCK_ROWS rows, fewer if there were less than MIN_BLOCKS.
    """
    size = max(1, min(BLOCK_ROWS, len(values) // MIN_BLOCKS))
    firsts = np.arange(0, len(values), size)
    known = ~np.isnan(values)
    return np.add.reduceat(np.where(known, values, 0), firsts, dtype=float), np.add.reduceat(known, firsts, dtype=float)


def resample_means(outcomes: Sequence[Sequence[np.ndarray]], seed: int) -> np.ndarray:
    """Return the mean of the outcomes in each resample, (N_RESAMPLES,).

    `outcomes[network][embedding]` are those of the same images (n,), NaN where they are unknown. Splits have different
    seeds, so that their images are drawn independently.
    """
    sums, counts = np.array([[sum_blocks(values) for values in row] for row in outcomes]).transpose(2, 0, 1, 3)
    networks, embeddings, blocks = sums.shape
    drawn = draw_counts(blocks, seed)
    weights = np.einsum("ra,rb->rab", draw_counts(networks, 1000), draw_counts(embeddings, 2000))
    totals = (np.einsum("rab,abr->r", weights, part @ drawn.T) for part in (sums, counts))
    with np.errstate(invalid="ignore"):
        return np.divide(*totals)


def describe(mean: float | None, resampled: np.ndarray) -> dict[str, float | None]:
    """Return a mean with its 95 % interval, `low` and `high`; these are None if the resamples (r,) do not vary."""
    low, high = np.nanpercentile(resampled, LEVELS) if np.nanstd(resampled) > 0 else (None, None)
    return {"mean": mean, "low": low, "high": high}
