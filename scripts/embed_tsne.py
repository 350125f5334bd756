"""Embed the features of one layer in two dimensions with t-SNE."""

import logging
import time

import numpy as np

from common.files import save_array, save_json
from common.inputs import load_array, load_neighbors
from common.logs import run_logged
from common.provenance import provenance
from common.tsne.affinities import compute_affinities
from common.tsne.backends import Problem, embed
from common.tsne.objective import kl_divergence
from common.tsne.perplexity import n_neighbors
from common.tsne.start import describe_start, make_start

log = logging.getLogger("workflow")

PROJECTS = ("openTSNE", "numpy", "scipy", "scikit-learn", "numba")  # whose versions affect an embedding

if __name__ == "__main__":
    with run_logged(snakemake.log[0], f"embed_tsne {snakemake.wildcards.layer}"):
        started = time.perf_counter()
        parameters = dict(snakemake.params.tsne, seed=snakemake.params.seed)
        backend, threads = parameters.pop("backend"), snakemake.threads
        features = load_array(snakemake.input.features)
        neighbors = load_neighbors(snakemake.input.neighbors, snakemake.input.features)
        affinities = compute_affinities(neighbors, parameters["perplexity"], threads)
        search = {name: neighbors[name].item() for name in ("method", "recall")}
        search["k"] = n_neighbors(parameters["perplexity"])
        start = make_start(features, parameters["seed"])
        problem = Problem(snakemake.input.features, affinities, start, search["k"], parameters, threads)
        coordinates, record = embed(backend, problem)
        coordinates = coordinates.astype(np.float32)
        record = {
            **parameters,
            **record,
            "start": describe_start(features.shape),
            "neighbors": search,
            "images": len(features),
            "dimensions": features.shape[1],
            "kl_divergence": round(kl_divergence(coordinates, affinities.P, threads), 4),
            "threads": threads,
            "seconds": round(time.perf_counter() - started, 1),
            "provenance": provenance(snakemake.wildcards.dataset, *PROJECTS),
        }
        save_array(snakemake.output.map, coordinates)
        save_json(snakemake.output.record, record)
        log.info("KL divergence %.4f", record["kl_divergence"])
