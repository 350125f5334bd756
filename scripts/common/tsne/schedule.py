"""The phases of the optimization, which all backends share."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

MOMENTUM = 0.8  # until the embedding has settled
SETTLING = 50  # iterations after the exaggeration with MOMENTUM; without them, some clusters merge


class Phase(NamedTuple):
    """A number of iterations with the same exaggeration, learning rate and momentum."""

    iterations: int
    exaggeration: float
    learning_rate: float
    momentum: float


def make_phases(parameters: Mapping[str, Any], n: int) -> list[Phase]:
    """Return the phases for n points: with exaggeration, settling, then with the momentum and rate of the parameters.

    The learning rate is n / exaggeration (Belkina et al. 2019, https://doi.org/10.1038/s41467-019-13055-y), in the last
    phase times the parameter learning_rate. Phases without iterations are left out, equal ones are one.
    """
    exaggeration, iterations = parameters["exaggeration"], parameters["iterations"]
    settling = min(SETTLING, iterations)
    phases = [
        Phase(parameters["exaggerated_iterations"], exaggeration, n / exaggeration, MOMENTUM),
        Phase(settling, 1, n, MOMENTUM),
        Phase(iterations - settling, 1, parameters["learning_rate"] * n, parameters["momentum"]),
    ]
    if phases[1][1:] == phases[2][1:]:
        phases[1:] = [phases[1]._replace(iterations=iterations)]
    return [phase for phase in phases if phase.iterations]


def describe_phases(phases: Sequence[Phase]) -> list[dict[str, float]]:
    """Return the phases for a record, by the names of their fields."""
    return [phase._asdict() for phase in phases]
