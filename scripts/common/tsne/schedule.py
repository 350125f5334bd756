"""The phases of the optimization, which all backends share."""

from collections.abc import Mapping
from typing import Any, NamedTuple

MOMENTUM = 0.8


class Phase(NamedTuple):
    """A number of iterations with one exaggeration and one learning rate."""

    iterations: int
    exaggeration: float
    learning_rate: float


def make_phases(parameters: Mapping[str, Any], n: int) -> list[Phase]:
    """Return the phases for n points: with exaggeration, then without.

    The learning rate is n / exaggeration (Belkina et al. 2019, https://doi.org/10.1038/s41467-019-13055-y).
    """
    phases = (parameters["exaggerated_iterations"], parameters["exaggeration"]), (parameters["iterations"], 1)
    return [Phase(iterations, exaggeration, n / exaggeration) for iterations, exaggeration in phases]
