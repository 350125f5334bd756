"""Run one implementation of t-SNE, in a separate process that compare.py measures.

The libraries of a peer are imported when it is set up, so that the process contains no others.
"""

import ctypes
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from compare import PEERS
from measuring import OPENTSNE_SCHEDULE, cpu_seconds

PERPLEXITY = 30

# Features (n, d) float32 -> an embedding (n, 2), and the seconds until the first iteration
Embed = Callable[[np.ndarray], tuple[np.ndarray, float]]


def set_up_ours(threads: int, seed: int) -> Embed:
    """Return this workflow's find_neighbors and embed_tsne, with the default parameters and openTSNE's schedule."""
    import yaml
    from find_neighbors import find_neighbors

    from common.scoring.parameters import MAX_VOTERS
    from common.tsne.affinities import compute_affinities
    from common.tsne.opentsne import fit_opentsne
    from common.tsne.perplexity import n_neighbors
    from common.tsne.start import make_start

    config = yaml.safe_load((Path(__file__).parents[1] / "config/config.yaml").read_text())
    parameters = config["tsne"] | OPENTSNE_SCHEDULE | {"perplexity": PERPLEXITY, "seed": seed}

    def embed(features: np.ndarray) -> tuple[np.ndarray, float]:
        started = time.perf_counter()
        k, memory_mb = n_neighbors(PERPLEXITY), config["memory_mb"]
        _, neighbors = find_neighbors([features], MAX_VOTERS, k, seed, memory_mb, threads)
        affinities = compute_affinities(neighbors, PERPLEXITY, threads)
        start = make_start(features, seed)
        prepare_seconds = time.perf_counter() - started
        return fit_opentsne(affinities, start, parameters, threads)[0], prepare_seconds

    return embed


def time_preparation(tsne: Any, fit: str, method: str, at_end: bool) -> Embed:
    """Return an estimator's method `fit` as Embed; the iterations begin when `method` is called, or `at_end` of it."""
    original, times = getattr(tsne, method), []

    def timed(*arguments: Any, **settings: Any) -> Any:
        called = time.perf_counter()
        result = original(*arguments, **settings)
        times.append(time.perf_counter() if at_end else called)
        return result

    def embed(features: np.ndarray) -> tuple[np.ndarray, float]:
        started = time.perf_counter()
        embedding = getattr(tsne, fit)(features)
        return np.asarray(embedding), times[0] - started

    setattr(tsne, method, timed)
    return embed


def set_up_opentsne(threads: int, seed: int) -> Embed:
    """Return openTSNE with its default parameters."""
    import openTSNE

    tsne = openTSNE.TSNE(perplexity=PERPLEXITY, n_jobs=threads, random_state=seed)
    return time_preparation(tsne, "fit", "prepare_initial", at_end=True)


def set_up_sklearn(threads: int, seed: int) -> Embed:
    """Return scikit-learn with its default parameters."""
    from sklearn.manifold import TSNE

    tsne = TSNE(perplexity=PERPLEXITY, n_jobs=threads, random_state=seed)
    return time_preparation(tsne, "fit_transform", "_tsne", at_end=False)


def set_up_sklearnex(threads: int, seed: int) -> Embed:
    """Return scikit-learn-intelex with its default parameters."""
    from sklearnex.manifold import TSNE

    tsne = TSNE(perplexity=PERPLEXITY, n_jobs=threads, random_state=seed)
    return time_preparation(tsne, "fit_transform", "_daal_tsne", at_end=False)


def set_up_bh_sne(threads: int, seed: int) -> Embed:
    """Return the notebook's bh_sne: it has one thread, takes float64, and prints the time of its neighbor search."""
    from tsne import bh_sne

    def embed(features: np.ndarray) -> tuple[np.ndarray, float]:
        settings = {"perplexity": PERPLEXITY, "random_state": np.random.RandomState(seed), "verbose": True}
        with tempfile.TemporaryFile() as file:
            stdout = os.dup(1)
            os.dup2(file.fileno(), 1)
            embedding = bh_sne(features.astype(np.float64), **settings)
            ctypes.CDLL(None).fflush(None)  # the buffer of the C library
            os.dup2(stdout, 1)
            file.seek(0)
            output = file.read().decode()
        print(output)
        return embedding, float(output.split("Done in ")[1].split()[0])

    return embed


SET_UP = {
    "ours": set_up_ours,
    "openTSNE": set_up_opentsne,
    "sklearnex": set_up_sklearnex,
    "sklearn": set_up_sklearn,
    "bh_sne": set_up_bh_sne,
}


def main(peer: str, features_path: str, map_path: str, record_path: str, points: int, threads: int, seed: int) -> None:
    """Write an embedding (n, 2) float32 of the first `points` rows of the features (all if 0), and a record as JSON.

    If the peer is not installed, the record has only the key `missing` with the reason.
    """
    try:
        embed = SET_UP[peer](threads, seed)
    except ImportError as error:
        Path(record_path).write_text(json.dumps({"missing": f"{error}"}))
        return
    # A copy, because the pages that were read from a mapping would count to the memory as well.
    features = np.array(np.load(features_path, mmap_mode="r")[:points]) if points else np.load(features_path)
    called, cpu, started = time.monotonic(), cpu_seconds(), time.perf_counter()
    embedding, prepare_seconds = embed(features)
    seconds, cpu = time.perf_counter() - started, cpu_seconds() - cpu
    np.save(map_path, np.asarray(embedding, np.float32))
    record = {
        "called": called,
        "points": len(features),
        "dimensions": features.shape[1],
        "prepare_seconds": round(prepare_seconds, 3),
        "optimize_seconds": round(seconds - prepare_seconds, 3),
        "seconds": round(seconds, 3),
        "cpu_seconds": round(cpu, 3),
        "python": platform.python_version(),
        "versions": "; ".join(f"{package} {version(package)}" for package in PEERS[peer].packages),
    }
    Path(record_path).write_text(json.dumps(record))


if __name__ == "__main__":
    main(*sys.argv[1:5], *map(int, sys.argv[5:]))
