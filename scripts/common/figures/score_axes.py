"""Axes on which scores of layers are drawn."""

import math
from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, NullFormatter, NullLocator

Interval = Mapping[str, float | None]  # mean, low and high

MAX_TICKS = 6  # numbers on a logarithmic axis
MAX_IN_A_ROW = 8  # layers up to which panels stand side by side
CHARACTER = 0.055  # inches, of a name that is turned upright


def log_ticks(low: float, high: float) -> list[float]:
    """Return round numbers from `low` to `high`, at most MAX_TICKS, for a logarithmic axis."""
    for digits in ((1, 1.5, 2, 3, 4, 5, 7), (1, 2, 3, 5), (1, 2, 5), (1, 3), (1,)):
        decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        ticks = [digit * 10.0**decade for decade in decades for digit in digits]
        inside = [tick for tick in ticks if low * 0.999 <= tick <= high * 1.001]
        if len(inside) <= MAX_TICKS:
            break
    return inside


def set_log_axis(axes: Axes, values: Sequence[float]) -> None:
    """Give an axis of positive values a logarithmic scale with few round numbers; 0 has a place of its own below them.

    If all values are 0, the scale is linear, up to 1.
    """
    positive = [value for value in values if value > 0]
    if not positive:
        axes.set_ylim(-0.1, 1)
        return
    low, high = min(positive), max(positive)
    ticks = log_ticks(low / 1.3, high * 1.3)
    if min(values) > 0:
        axes.set_yscale("log")
        axes.set_ylim(min(low / 1.2, ticks[0]), max(high * 1.2, ticks[-1]))
    else:
        threshold = min(ticks[0], low)
        axes.set_yscale("symlog", linthresh=threshold, linscale=0.5)
        axes.set_ylim(-0.15 * threshold, max(high * 1.2, ticks[-1]))
        ticks = [0, *ticks]
    axes.yaxis.set_major_locator(FixedLocator(ticks))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_minor_formatter(NullFormatter())


def as_error(interval: Interval) -> dict[str, float | None]:
    """Return an accuracy with its interval as an error rate in %."""
    return {
        "mean": 100 * (1 - interval["mean"]),
        "low": None if interval["high"] is None else 100 * (1 - interval["high"]),
        "high": None if interval["low"] is None else 100 * (1 - interval["low"]),
    }


def as_percent(interval: Interval) -> dict[str, float | None]:
    """Return a share with its interval in %."""
    return {end: None if value is None else 100 * value for end, value in interval.items()}


def convert_interval(score: str, interval: Interval | None) -> Interval | None:
    """Return the interval of a score as it is drawn: accuracies as errors, preservation in %."""
    if interval is None:
        return None
    if "accuracy" in score:
        return as_error(interval)
    return as_percent(interval) if "preservation" in score else interval


def find_network_error(network: Mapping[str, Mapping[str, Interval]], split: str) -> float | None:
    """Return the error rate of the network on a split in %; None if it is unknown or 0."""
    accuracy = network.get(split, {}).get("network_accuracy")
    return as_error(accuracy)["mean"] if accuracy and accuracy["mean"] < 1 else None


def name_rotation(layers: Sequence[str], width: float) -> int:
    """Return the angle, in degrees, at which the layers' names fit under a panel, `width` inches wide."""
    return 0 if len("".join(layers)) * CHARACTER * 1.2 < width and len(layers) <= MAX_IN_A_ROW else 90
