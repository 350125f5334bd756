"""t-SNE on the CPU: openTSNE with the gradient of common.tsne.descent."""

import logging
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import openTSNE
from openTSNE.affinity import PerplexityBasedNN

from common.tsne.descent import EXACT_PAIRS, Descent
from common.tsne.schedule import describe_phases, make_phases

log = logging.getLogger("workflow")

PROGRESS_INTERVAL = 50  # iterations


def fit_opentsne(
    affinities: PerplexityBasedNN, start: np.ndarray, parameters: Mapping[str, Any], threads: int
) -> tuple[np.ndarray, dict[str, Any]]:
    """Return an embedding (n, 2) float64 by openTSNE, and a record of how it was made.

    openTSNE is that of Policar, Strazar and Zupan 2024 (https://doi.org/10.18637/jss.v109.i03); the gradient is that of
    common.tsne.descent.
    """
    started = time.perf_counter()
    done = 0

    def show_progress(iteration: int, kl: float, _: np.ndarray) -> None:
        log.info("iteration %d: KL divergence %.4f", done + iteration, kl)

    embedding = openTSNE.TSNEEmbedding(
        start, affinities, optimizer=Descent(), n_jobs=threads, random_state=parameters["seed"]
    )
    phases = make_phases(parameters, len(start))
    for phase in phases:
        embedding.optimize(
            phase.iterations,
            inplace=True,
            exaggeration=phase.exaggeration,
            learning_rate=phase.learning_rate,
            momentum=phase.momentum,
            callbacks=show_progress,
            callbacks_every_iters=PROGRESS_INTERVAL,
        )
        done += phase.iterations
    record = {
        "backend": "openTSNE",
        "version": openTSNE.__version__,
        "repulsion": "all pairs" if len(start) ** 2 <= EXACT_PAIRS else "grid",
        "phases": describe_phases(phases),
        "optimization_seconds": round(time.perf_counter() - started, 1),
    }
    return np.asarray(embedding), record
