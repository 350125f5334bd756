"""Intervals of the bootstrap: their coverage in simulations, blocks, networks, and differences."""

import numpy as np
import pytest

from common.scoring.bootstrap import describe, resample_means, sum_blocks
from common.scoring.parameters import N_RESAMPLES

N_SIMULATIONS = 200


def measure_width(resampled: np.ndarray) -> float:
    """Return the width of the interval."""
    interval = describe(0, resampled)
    return interval["high"] - interval["low"]


def measure_coverage(simulate, truth: float) -> float:
    """Return the share of simulations whose interval has the truth in it; `simulate` returns outcomes."""
    covered = 0
    for seed in range(N_SIMULATIONS):
        interval = describe(0, resample_means(simulate(np.random.default_rng(seed)), seed=0))
        covered += interval["low"] <= truth <= interval["high"]
    return covered / N_SIMULATIONS


def draw_independent(rng: np.random.Generator) -> list[list[np.ndarray]]:
    """Return outcomes of 5,000 images that are right with a probability of 0.9."""
    return [[(rng.random(5000) < 0.9).astype(np.float32)]]


def draw_queries(rng: np.random.Generator) -> list[list[np.ndarray]]:
    """Return outcomes that are known of 400 of 5,000 images."""
    values = rng.exponential(size=5000)
    values[rng.permutation(5000)[400:]] = np.nan
    return [[values]]


def draw_writers(rng: np.random.Generator) -> list[list[np.ndarray]]:
    """Return outcomes of 5,000 images, of which 50 consecutive ones have one writer."""
    return [[np.repeat(rng.normal(size=100), 50) + rng.normal(size=5000)]]


def draw_networks(rng: np.random.Generator) -> list[list[np.ndarray]]:
    """Return outcomes of 2,000 images in 20 networks, which differ as much as the mean of the images."""
    images, networks = rng.normal(size=2000), rng.normal(scale=0.1, size=20)
    return [[network + images + rng.normal(size=2000)] for network in networks]


@pytest.mark.parametrize(
    ("simulate", "truth"), [(draw_independent, 0.9), (draw_queries, 1), (draw_writers, 0), (draw_networks, 0)]
)
def test_interval_covers_the_truth_in_95_of_100_simulations(simulate, truth):
    """With 200 simulations, the standard deviation of the share is 1.5 %."""
    assert 0.91 <= measure_coverage(simulate, truth) <= 0.985


def test_interval_of_independent_images_has_the_width_of_the_normal_approximation():
    values = draw_independent(np.random.default_rng(1))[0][0]
    expected = 2 * 1.96 * values.std() / np.sqrt(len(values))
    assert measure_width(resample_means([[values]], 0)) == pytest.approx(expected, rel=0.25)


def test_interval_is_wider_if_the_images_of_a_block_agree():
    values = np.random.default_rng(0).permutation(np.arange(5000) % 2).astype(np.float32)
    together = np.repeat(values[:50], 100)
    widths = [measure_width(resample_means([[outcomes]], 0)) for outcomes in (values, together)]
    assert widths[1] > 7 * widths[0], "about the square root of 100 times as wide"


def test_without_blocks_the_interval_is_too_narrow_for_images_of_one_origin(monkeypatch):
    outcomes = draw_writers(np.random.default_rng(0))
    width = measure_width(resample_means(outcomes, 0))
    assert width == pytest.approx(2 * 1.96 * np.sqrt(1 / 100 + 1 / 5000), rel=0.3), "100 writers"
    monkeypatch.setattr("common.scoring.bootstrap.BLOCK_ROWS", 1)
    assert measure_width(resample_means(outcomes, 0)) < 0.4 * width


def test_networks_that_differ_widen_the_interval():
    values = [(np.random.default_rng(seed).random(3000) < 0.9).astype(np.float32) for seed in range(5)]
    alike = measure_width(resample_means([[outcomes] for outcomes in values], 0))
    apart = [outcomes + 0.1 * shift for outcomes, shift in zip(values, (-2, -1, 0, 1, 2), strict=True)]
    assert measure_width(resample_means([[outcomes] for outcomes in apart], 0)) > 5 * alike


def test_networks_are_drawn_so_that_their_variation_is_covered():
    """Intervals of one network alone ignore it."""
    assert measure_coverage(lambda rng: draw_networks(rng)[:1], 0) < 0.7


def test_embeddings_that_differ_widen_the_interval():
    values = (np.random.default_rng(0).random(3000) < 0.9).astype(np.float32)
    apart = measure_width(resample_means([[values - 0.1, values, values + 0.1]], 0))
    assert apart > 2 * measure_width(resample_means([[values] * 3], 0))


def test_paired_difference_has_a_narrower_interval_than_an_unpaired_one():
    rng = np.random.default_rng(0)
    hard = rng.random(4000)
    first, second = ((hard < share).astype(np.float32) for share in (0.9, 0.88))
    paired = resample_means([[first]], 2) - resample_means([[second]], 2)
    unpaired = resample_means([[first]], 2) - resample_means([[second]], 1)
    assert measure_width(paired) < 0.6 * measure_width(unpaired)
    expected = 2 * 1.96 * (first - second).std() / np.sqrt(4000)
    assert measure_width(paired) == pytest.approx(expected, rel=0.35)


def test_networks_are_paired_between_splits():
    """What a network adds to both splits is not in the difference."""
    rng = np.random.default_rng(0)
    splits = [(rng.random(4000) < 0.9).astype(np.float32) for _ in range(2)]
    shifted = [[[values + shift] for shift in (-1, 0, 1)] for values in splits]
    difference = resample_means(shifted[0], 0) - resample_means(shifted[1], 1)
    assert measure_width(difference) < 0.1 < 1 < measure_width(resample_means(shifted[0], 0))


def test_mean_of_the_resamples_is_that_of_the_known_outcomes():
    values = np.random.default_rng(0).normal(3, 1, 2000)
    values[::3] = np.nan
    resampled = resample_means([[values, values + 1]], 0)
    assert resampled.shape == (N_RESAMPLES,)
    assert resampled.mean() == pytest.approx(np.nanmean(values) + 0.5, abs=0.03)


@pytest.mark.parametrize(
    ("count", "size"), [(50_000, 100), (2000, 100), (1999, 99), (250, 12), (40, 2), (39, 1), (1, 1)]
)
def test_blocks_have_100_rows_but_there_are_at_least_20(count, size):
    sums, counts = sum_blocks(np.ones(count))
    assert counts[0] == min(size, count) and counts.sum() == sums.sum() == count
    assert set(counts[:-1]) <= {size} and 0 < counts[-1] <= size
    assert len(counts) >= min(20, count)


def test_blocks_are_consecutive_rows_of_which_the_known_ones_count():
    values = np.arange(60.0)
    values[[0, 4]] = np.nan
    sums, counts = sum_blocks(values)
    assert sums[:3].tolist() == [1 + 2, 3 + 5, 6 + 7 + 8] and counts[:3].tolist() == [2, 2, 3]


@pytest.mark.parametrize("value", [0, 1, 0.1])
@pytest.mark.parametrize("count", [1, 5, 105, 2050])
def test_without_variation_there_is_no_interval(value, count):
    values = np.full(count, value, np.float32)
    resampled = resample_means([[values], [values], [values]], 0)
    assert describe(0.5, resampled) == {"mean": 0.5, "low": None, "high": None}


def test_difference_of_equal_outcomes_has_no_interval():
    values = np.random.default_rng(0).random(500)
    difference = resample_means([[values]], 1) - resample_means([[values]], 1)
    assert describe(0, difference) == {"mean": 0, "low": None, "high": None}


def test_interval_has_the_middle_95_percent_of_the_resamples():
    assert describe(7, np.arange(1001.0)) == {"mean": 7, "low": 25, "high": 975}
    assert describe(7, np.array([*np.arange(1001.0), np.nan]))["high"] == 975, "a resample without known outcomes"


def test_resamples_are_the_same_each_time_and_others_for_another_seed():
    values = np.random.default_rng(0).random(500)
    first, again, other = (resample_means([[values]], seed) for seed in (0, 0, 1))
    assert (first == again).all() and (first != other).mean() > 0.9
