"""The registry of t-SNE backends, and the choice between them.

To add a backend, add a module with its function, an entry here, and its package to envs/maps*.yaml.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from common.errors import UserError

if TYPE_CHECKING:
    import numpy as np
    from openTSNE.affinity import PerplexityBasedNN

log = logging.getLogger("workflow")


class BackendError(Exception):
    """A backend cannot be used here. The message says why, in a few words."""


@dataclass(frozen=True)
class Problem:
    """What is to be embedded."""

    features_paths: Sequence[str]  # .npy, (n_i, d) float32, whose rows, one after the other, are embedded
    affinities: "PerplexityBasedNN"
    start: "np.ndarray"  # (n, 2)
    n_neighbors: int
    parameters: Mapping[str, Any]  # the keys of tsne in the configuration, and seed
    threads: int


Fit = Callable[[Problem], tuple["np.ndarray", dict[str, Any]]]  # coordinates (n, 2), and a record of how they were made


# The libraries are imported when a backend is used: the names are also read with the configuration.


def _fit_opentsne(problem: Problem) -> tuple["np.ndarray", dict[str, Any]]:
    from common.tsne.opentsne import fit_opentsne

    return fit_opentsne(problem.affinities, problem.start, problem.parameters, problem.threads)


def _fit_tsnecuda(problem: Problem) -> tuple["np.ndarray", dict[str, Any]]:
    from common.tsne.tsnecuda import fit_tsnecuda

    return fit_tsnecuda(problem.features_paths, problem.start, problem.n_neighbors, problem.parameters)


@dataclass(frozen=True)
class Backend:
    """One implementation of t-SNE."""

    name: str  # as it is printed
    fit: Fit
    needs_gpu: bool


BACKENDS = {
    "tsnecuda": Backend("tsnecuda", _fit_tsnecuda, needs_gpu=True),
    "opentsne": Backend("openTSNE", _fit_opentsne, needs_gpu=False),
}
AUTO = "auto"  # the first of them that works


def embed(choice: str, problem: Problem) -> tuple["np.ndarray", dict[str, Any]]:
    """Return the embedding by the chosen backend, and a record of how it was made and why by this backend.

    "auto" tries the backends in the order of the registry and takes the next whenever one fails, before the fit or
    during it. Raises UserError if none can be used.
    """
    reason = f"tsne.backend is {choice}"
    for backend in BACKENDS.values() if choice == AUTO else [BACKENDS[choice]]:
        log.info("%s: %s", backend.name, reason)
        try:
            coordinates, record = backend.fit(problem)
        except BackendError as error:
            reason += f", and {backend.name} cannot be used here: {error}"
            continue
        return coordinates, record | {"why_backend": reason}
    raise UserError(f"{reason}. Set tsne.backend: auto, or run it where the backend works.")
