"""Lay the features of one layer out in two dimensions with t-SNE."""

import json
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import openTSNE
from openTSNE.affinity import PerplexityBasedNN
from scipy.sparse import csr_matrix

from common.affinities import affinities, neighbors_heeded
from common.arrays import load, load_neighbors
from common.components import principal_components, project, rows_used
from common.files import save_array, whole
from common.jobs import UserError, job
from common.pieces import pieces
from common.provenance import provenance
from common.tsne_descent import EXACT_PAIRS, Descent, exact_normalization
from common.tsnecuda_process import TsnecudaError, fit_tsnecuda

log = logging.getLogger("workflow")

Fit = tuple[np.ndarray, dict[str, Any]]  # a map (n, 2), and how it was made

PROJECTS = ("openTSNE", "numpy", "scipy", "scikit-learn", "numba")  # whose versions matter to a map
MOMENTUM = 0.8
REPULSION = {"bh": "tree", "fft": "grid"}  # how openTSNE sums it
START_SPREAD, JITTER = 1e-4, 1e-6  # standard deviations, of the start along its first axis, and of its noise
TREE_BELOW = 10_000  # points; 5,000 of MNIST's took 31 s with the tree, 54 s with the grid
PROGRESS_EVERY = 50  # iterations
BLOCK = 10_000  # rows, of whose pairs the KL divergence is summed at once


def start_layout(features: np.ndarray, seed: int) -> np.ndarray:
    """Where the optimization starts, (n, 2) float64: the first two principal components, scaled to START_SPREAD.

    A little noise keeps equal rows from falling on one point, and is all there is if all rows are equal. Such a start
    keeps the data's large shape (Kobak and Berens 2019, https://doi.org/10.1038/s41467-019-13056-x).
    """
    start = np.zeros((len(features), 2))
    count = min(2, features.shape[1])
    start[:, :count] = project(features, *principal_components(features, count, seed))
    spread = start[:, 0].std()
    if spread > 0:
        start /= spread / START_SPREAD
    return start + np.random.default_rng(seed).normal(0, JITTER, start.shape)


def describe_start(shape: tuple[int, int]) -> dict[str, Any]:
    """How start_layout starts with features of this shape (n, d), for the record."""
    count = min(2, shape[1])
    return {
        "principal_components": count,
        "of_rows": rows_used(shape, count),
        "standard_deviation": START_SPREAD,
        "jitter": JITTER,
    }


def fit_opentsne(neighbors: PerplexityBasedNN, start: np.ndarray, parameters: Mapping[str, Any], threads: int) -> Fit:
    """t-SNE by openTSNE (Policar, Strazar and Zupan 2024, https://doi.org/10.18637/jss.v109.i03).

    Returns coordinates (n, 2) float64 and the facts that only the backend knows. The learning rate is n / exaggeration
    in each of the two phases (Belkina et al. 2019). The gradient is that of common.tsne_descent (fast) or openTSNE's
    own (opentsne): interpolated on a grid (Linderman et al. 2019), or, for few points, summed over a tree (van der
    Maaten 2014).
    """
    started = time.perf_counter()
    fast = parameters["gradient"] == "fast"
    own = "bh" if len(start) < TREE_BELOW else "fft"
    done = 0

    def show_progress(iteration: int, kl: float, _: np.ndarray) -> None:
        log.info("iteration %d: KL divergence %.4f", done + iteration, kl)

    embedding = openTSNE.TSNEEmbedding(
        start,
        neighbors,
        negative_gradient_method=own,
        optimizer=Descent() if fast else None,
        n_jobs=threads,
        random_state=parameters["seed"],
    )
    phases = ((parameters["exaggerated_iterations"], parameters["exaggeration"]), (parameters["iterations"], 1))
    for iterations, exaggeration in phases:
        embedding.optimize(
            iterations,
            inplace=True,
            exaggeration=exaggeration,
            learning_rate=len(start) / exaggeration,
            momentum=MOMENTUM,
            callbacks=show_progress,
            callbacks_every_iters=PROGRESS_EVERY,
        )
        done += iterations
    facts = {
        "backend": "openTSNE",
        "version": openTSNE.__version__,
        "gradient": "fast" if fast else {"bh": "Barnes-Hut", "fft": "interpolated"}[own],
        "repulsion": ("all pairs" if len(start) ** 2 <= EXACT_PAIRS else "grid") if fast else REPULSION[own],
        "momentum": MOMENTUM,
        "learning_rates": [len(start) / exaggeration for _, exaggeration in phases],
        "optimization_seconds": round(time.perf_counter() - started, 1),
    }
    return np.asarray(embedding), facts


def fit(backend: str, on_gpu: Callable[[], Fit], on_cpu: Callable[[], Fit]) -> Fit:
    """The map by the `backend` (auto, tsnecuda or opentsne), and the facts, with why it was made by that one.

    `auto` falls back to the CPU whenever the GPU fails, before the fit or in it. Raises UserError if `tsnecuda` fails.
    """
    if backend == "opentsne":
        why = "tsne.backend is opentsne"
    else:
        try:
            coordinates, facts = on_gpu()
            return coordinates, facts | {"why_backend": f"tsne.backend is {backend}, and it works here"}
        except TsnecudaError as error:
            if backend == "tsnecuda":
                raise UserError(
                    f"tsne.backend is tsnecuda, which cannot be used here: {error}; "
                    "run it where it can, or set tsne.backend to auto or opentsne"
                ) from error
            why = f"tsne.backend is auto, and tsnecuda cannot be used here: {error}"
    log.info("openTSNE, since %s", why)
    coordinates, facts = on_cpu()
    return coordinates, facts | {"why_backend": why}


def kl_divergence(coordinates: np.ndarray, affinities: csr_matrix, threads: int = 1) -> float:
    """The KL divergence that t-SNE minimizes, in nats, of a map (n, 2) from its affinities (n, n) sparse with sum 1.

    Exact: the normalization is summed over all pairs, whatever the backend approximated (van der Maaten and Hinton
    2008, section 3).
    """
    log_normalization, divergence = np.log(exact_normalization(coordinates, threads)), 0.0
    for rows in pieces(len(coordinates), BLOCK):
        pairs = affinities[rows].tocoo()
        pairs.eliminate_zeros()  # 0 log 0 = 0
        offsets = coordinates[rows][pairs.row].astype(np.float64) - coordinates[pairs.col]
        log_q = -np.log1p((offsets**2).sum(axis=1)) - log_normalization
        divergence += (pairs.data * (np.log(pairs.data) - log_q)).sum()
    return float(divergence)


if __name__ == "__main__":
    with job(snakemake.log[0], f"embed_tsne {snakemake.wildcards.layer}"):
        started = time.perf_counter()
        parameters = dict(snakemake.params.tsne, seed=snakemake.params.seed)
        backend = parameters.pop("backend")
        features = load(snakemake.input.features)
        stored = load_neighbors(snakemake.input.neighbors, snakemake.input.features)
        neighbors = affinities(stored, parameters["perplexity"], snakemake.threads)
        search = {name: stored[name].item() for name in ("method", "recall")}
        search["k"] = neighbors_heeded(parameters["perplexity"])
        start = start_layout(features, parameters["seed"])

        coordinates, facts = fit(
            backend,
            on_gpu=lambda: fit_tsnecuda(snakemake.input.features, start, search["k"], parameters, MOMENTUM),
            on_cpu=lambda: fit_opentsne(neighbors, start, parameters, snakemake.threads),
        )
        coordinates = coordinates.astype(np.float32)
        facts = {
            **parameters,
            **facts,
            "start": describe_start(features.shape),
            "neighbors": search,
            "images": len(features),
            "dimensions": features.shape[1],
            "kl_divergence": round(kl_divergence(coordinates, neighbors.P, snakemake.threads), 4),
            "threads": snakemake.threads,
            "seconds": round(time.perf_counter() - started, 1),
            "provenance": provenance(snakemake.wildcards.dataset, *PROJECTS),
        }
        save_array(snakemake.output.map, coordinates)
        with whole(snakemake.output.facts) as part:
            part.write_text(json.dumps(facts, indent=2) + "\n")
        log.info("KL divergence %.4f", facts["kl_divergence"])
