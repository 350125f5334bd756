"""Embed the rows of one layer in two dimensions with t-SNE."""

import logging
import time
from collections.abc import Sequence

import numpy as np
from scipy.spatial import procrustes

from common.errors import report_corrupt_file
from common.files import save_array, save_json
from common.inputs import load_array, load_neighbors, load_rows
from common.knn.views import StackedRows
from common.logs import run_logged
from common.provenance import provenance
from common.tsne.affinities import compute_affinities
from common.tsne.backends import Problem, embed
from common.tsne.objective import kl_divergence
from common.tsne.perplexity import fit_perplexity, n_neighbors
from common.tsne.start import JITTER, START_SPREAD, describe_start, make_start, scale_start

log = logging.getLogger("workflow")

PROJECTS = ("openTSNE", "numpy", "scipy", "scikit-learn", "numba")  # whose versions affect an embedding


def load_reference(paths: Sequence[str], features: Sequence[str], rows: str | None) -> np.ndarray | None:
    """Return the embedding (n, 2) of the reference layer, of which landmarks use some `rows`; None without one.

    Raises UserError if its files are damaged or have other numbers of rows than the `features`.
    """
    if not paths:
        return None
    if rows:
        reference = load_array(paths[0])
        with report_corrupt_file(paths[0]):
            return reference[load_array(rows)]
    return np.concatenate([load_rows(*pair)[0] for pair in zip(paths, features, strict=True)])


def r_squared(coordinates: np.ndarray, reference: np.ndarray) -> float | None:
    """Return the share of the variance of a reference embedding (n, 2) that another one (n, 2) explains.

    The other one is moved, rotated or reflected, and scaled to fit it best: 1 minus scipy.spatial.procrustes's
    disparity. None if all points of one lie on each other.
    """
    if not all(np.ptp(points, axis=0).any() for points in (coordinates, reference)):
        return None
    return float(1 - procrustes(reference, coordinates)[2])


if __name__ == "__main__":
    with run_logged(snakemake.log[0], f"embed_tsne {snakemake.wildcards.layer}"):
        started, paths = time.perf_counter(), snakemake.input
        parameters = dict(snakemake.params.tsne, seed=snakemake.params.seed)
        backend, threads, start_from = parameters.pop("backend"), snakemake.threads, parameters.pop("start")
        parts = [load_array(path) for path in paths.features]
        features, neighbors = StackedRows(parts), load_neighbors(paths.neighbors, *paths.features)
        perplexity = fit_perplexity(parameters["perplexity"], len(features))
        if perplexity < parameters["perplexity"]:
            log.warning(
                "warning: tsne.perplexity %g is too large for %d images; it is lowered to %g",
                parameters["perplexity"],
                len(features),
                perplexity,
            )
            parameters["perplexity"] = perplexity
        affinities = compute_affinities(neighbors, parameters["perplexity"], threads)
        search = {name: neighbors[name].item() for name in ("method", "recall")}
        search["k"] = n_neighbors(parameters["perplexity"])
        reference = load_reference(paths.reference, paths.features, paths.get("rows"))
        if start_from == "reference" and reference is not None:
            start = scale_start(reference, parameters["seed"])
            description = {"from": f"embedding of {snakemake.params.reference}"}
        else:
            start, description = make_start(features, parameters["seed"]), describe_start(features.shape)
        problem = Problem(paths.features, affinities, start, search["k"], parameters, threads)
        coordinates, record = embed(backend, problem)
        coordinates = coordinates.astype(np.float32)
        n_train = len(parts[0])
        record = {
            **parameters,
            **record,
            "start": description | {"standard_deviation": START_SPREAD, "jitter": JITTER},
            "neighbors": search,
            "images": n_train,
            "held_out_images": len(features) - n_train,
            "dimensions": features.shape[1],
            "kl_divergence": round(kl_divergence(coordinates, affinities.P, threads), 4),
            "r_squared": None if reference is None else r_squared(coordinates[:n_train], reference[:n_train]),
            "threads": threads,
            "seconds": round(time.perf_counter() - started, 1),
            "provenance": provenance(snakemake.wildcards.dataset, *PROJECTS),
        }
        for path, rows in zip(snakemake.output.map, np.split(coordinates, features.bounds[1:-1]), strict=True):
            save_array(path, rows)
        save_json(snakemake.output.record, record)
        log.info("KL divergence %.4f", record["kl_divergence"])
