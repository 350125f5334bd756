"""The schedule of a training, fitted to the number of images."""

import math
from collections.abc import Mapping, Sequence

from common.text import count_noun

SMALLEST_BATCH = 16  # images; `min_batches` lowers no batch further, since batch normalization would be too noisy

Phases = Sequence[Mapping[str, int]]


def fit_schedule(schedule: Phases, images: int) -> list[dict[str, int]]:
    """Return the phases of training that are used for a number of images: `epochs`, `batch_size` and `passes` of each.

    `schedule` has the phases of the configuration. An epoch is one pass over the images, unless it then has fewer
    batches than the phase's `min_batches`: first, batches are made smaller, down to SMALLEST_BATCH images; if that is
    not enough, an epoch is several passes. A batch is never larger than the number of images.
    """
    return [fit_phase(phase, images) for phase in schedule]


def fit_phase(phase: Mapping[str, int], images: int) -> dict[str, int]:
    """Return `epochs`, `batch_size` and `passes` (over the images, in an epoch) of a phase for a number of images."""
    batches = phase.get("min_batches", 1)
    size = min(phase["batch_size"], images, max(images // batches, SMALLEST_BATCH))
    return {"epochs": phase["epochs"], "batch_size": size, "passes": math.ceil(batches * size / images)}


def describe_phase(phase: Mapping[str, int]) -> str:
    """Return a phase that is used in words, such as "5 epochs of 3 passes each with batches of 16"."""
    each = f" of {phase['passes']} passes each" if phase["passes"] > 1 else ""
    return f"{count_noun(phase['epochs'], 'epoch')}{each} with batches of {phase['batch_size']}"
