"""Run one implementation of t-SNE, in a separate process that compare.py measures.

The libraries of a peer are imported when it is set up, so that the process contains no others.
"""

import atexit
import ctypes
import json
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from compare import PEERS
from measuring import cpu_seconds

PERPLEXITY = 30
EXAGGERATED = 250  # iterations of openTSNE by default
CONFIG = Path(__file__).parents[1] / "config/config.yaml"

# Features (n, d) float32 -> an embedding (n, 2), and the seconds until the first iteration
Embed = Callable[[np.ndarray], tuple[np.ndarray, float]]
# Features (n, d) float32 -> `indices` and `distances` (n, k), and more
Search = Callable[[np.ndarray], dict[str, np.ndarray]]


def make_our_search(threads: int, seed: int) -> Search:
    """Return the search of find_neighbors."""
    import yaml
    from find_neighbors import find_neighbors

    from common.scoring.parameters import MAX_VOTERS
    from common.tsne.perplexity import n_neighbors

    k, memory_mb = n_neighbors(PERPLEXITY), yaml.safe_load(CONFIG.read_text())["memory_mb"]
    return lambda features: find_neighbors([features], MAX_VOTERS, k, seed, memory_mb, threads)[1]


def make_our_embedding(search: Search, threads: int, seed: int, iterations: int) -> Embed:
    """Return this workflow's embed_tsne with the default parameters, on the neighbors that a search finds."""
    import yaml

    from common.tsne.affinities import compute_affinities
    from common.tsne.opentsne import fit_opentsne
    from common.tsne.start import make_start

    parameters = yaml.safe_load(CONFIG.read_text())["tsne"] | {"perplexity": PERPLEXITY, "seed": seed}
    parameters["iterations"] = iterations - parameters["exaggerated_iterations"]

    def embed(features: np.ndarray) -> tuple[np.ndarray, float]:
        started = time.perf_counter()
        affinities = compute_affinities(search(features), PERPLEXITY, threads)
        start = make_start(features, seed)
        prepare_seconds = time.perf_counter() - started
        return fit_opentsne(affinities, start, parameters, threads)[0], prepare_seconds

    return embed


def set_up_ours(threads: int, seed: int, iterations: int) -> Embed:
    """Return this workflow's find_neighbors and embed_tsne, with the default parameters."""
    return make_our_embedding(make_our_search(threads, seed), threads, seed, iterations)


def set_up_ours_pynndescent(threads: int, seed: int, iterations: int) -> Embed:
    """Return this workflow's embed_tsne with the neighbors that PyNNDescent finds by default."""
    from pynndescent import NNDescent

    from common.knn.results import drop_self
    from common.tsne.perplexity import n_neighbors

    def search(features: np.ndarray) -> dict[str, np.ndarray]:
        index = NNDescent(features, n_neighbors=n_neighbors(PERPLEXITY) + 1, n_jobs=threads, random_state=seed)
        indices, distances = drop_self(*index.neighbor_graph, np.arange(len(features)))
        return {"indices": indices, "distances": distances}

    return make_our_embedding(search, threads, seed, iterations)


def set_up_ours_compiled(threads: int, seed: int, iterations: int) -> Embed:
    """Return this workflow's t-SNE, which compiles its code within the call, since its cache is empty."""
    cache = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, cache)
    os.environ["NUMBA_CACHE_DIR"] = cache
    return set_up_ours(threads, seed, iterations)


def time_preparation(fit: Callable[[np.ndarray], Any], owner: Any, method: str, at_end: bool = False) -> Embed:
    """Return `fit` as Embed; the iterations begin when `method` of `owner` is called, or `at_end` of it."""
    original, times = getattr(owner, method), []

    def timed(*arguments: Any, **settings: Any) -> Any:
        called = time.perf_counter()
        result = original(*arguments, **settings)
        times.append(time.perf_counter() if at_end else called)
        return result

    def embed(features: np.ndarray) -> tuple[np.ndarray, float]:
        started = time.perf_counter()
        embedding = fit(features)
        return np.asarray(embedding), times[0] - started

    setattr(owner, method, timed)
    return embed


def set_up_opentsne(threads: int, seed: int, iterations: int) -> Embed:
    """Return openTSNE with its default parameters."""
    import openTSNE

    tsne = openTSNE.TSNE(perplexity=PERPLEXITY, n_iter=iterations - EXAGGERATED, n_jobs=threads, random_state=seed)
    return time_preparation(tsne.fit, tsne, "prepare_initial", at_end=True)


def set_up_opentsne_ours(threads: int, seed: int, iterations: int) -> Embed:
    """Return openTSNE with its default parameters, but with this workflow's neighbors."""
    import openTSNE
    from openTSNE.affinity import PerplexityBasedNN
    from openTSNE.nearest_neighbors import PrecomputedNeighbors

    tsne = openTSNE.TSNE(n_iter=iterations - EXAGGERATED, n_jobs=threads, random_state=seed)
    search = make_our_search(threads, seed)

    def fit(features: np.ndarray) -> np.ndarray:
        neighbors = search(features)
        index = PrecomputedNeighbors(neighbors["indices"], neighbors["distances"])
        affinities = PerplexityBasedNN(knn_index=index, perplexity=PERPLEXITY, n_jobs=threads)
        start = openTSNE.initialization.pca(features, random_state=seed)
        return tsne.fit(affinities=affinities, initialization=start)

    return time_preparation(fit, tsne, "prepare_initial", at_end=True)


def set_up_h2pack(threads: int, seed: int, iterations: int) -> Embed:
    """Return tsne-h2pack with its default parameters."""
    import pynndescent  # noqa: F401, which it would import within the call
    from tsne_h2pack import TSNE
    from tsne_h2pack._backend import get_backend

    tsne = TSNE(perplexity=PERPLEXITY, max_iter=iterations, n_jobs=threads, random_state=seed)
    return time_preparation(tsne.fit_transform, get_backend()._lib, "tsne_run")


def set_up_h2pack_ours(threads: int, seed: int, iterations: int) -> Embed:
    """Return tsne-h2pack with its default parameters, but with this workflow's neighbors."""
    from scipy.sparse import csr_matrix
    from tsne_h2pack import TSNE
    from tsne_h2pack._backend import get_backend

    tsne = TSNE(perplexity=PERPLEXITY, max_iter=iterations, metric="precomputed", n_jobs=threads, random_state=seed)
    search = make_our_search(threads, seed)

    def fit(features: np.ndarray) -> np.ndarray:
        neighbors = search(features)
        n, k = neighbors["indices"].shape
        rows = np.arange(0, n * k + 1, k)
        graph = csr_matrix((neighbors["distances"].ravel(), neighbors["indices"].ravel(), rows), shape=(n, n))
        return tsne.fit_transform(graph)

    return time_preparation(fit, get_backend()._lib, "tsne_run")


def set_up_manifolds(threads: int, seed: int, iterations: int) -> Embed:
    """Return manifolds-rs with its default parameters; its neighbors are searched in a call of their own."""
    import manifolds_rs

    manifolds_rs.set_num_threads(threads)
    tsne = manifolds_rs.TSNE(perplexity=float(PERPLEXITY), n_epochs=iterations, seed=seed)

    def embed(features: np.ndarray) -> tuple[np.ndarray, float]:
        started = time.perf_counter()
        indices, distances = manifolds_rs.knn_graph(features, 3 * PERPLEXITY, seed=seed)
        prepare_seconds = time.perf_counter() - started
        return tsne.fit_transform(features, knn_indices=indices, knn_distances=distances), prepare_seconds

    return embed


def set_up_sklearn(threads: int, seed: int, iterations: int) -> Embed:
    """Return scikit-learn with its default parameters."""
    from sklearn.manifold import TSNE

    tsne = TSNE(perplexity=PERPLEXITY, max_iter=iterations, n_jobs=threads, random_state=seed)
    return time_preparation(tsne.fit_transform, tsne, "_tsne")


def set_up_sklearnex(threads: int, seed: int, iterations: int) -> Embed:
    """Return scikit-learn-intelex with its default parameters."""
    from sklearnex.manifold import TSNE

    tsne = TSNE(perplexity=PERPLEXITY, max_iter=iterations, n_jobs=threads, random_state=seed)
    return time_preparation(tsne.fit_transform, tsne, "_daal_tsne")


def set_up_bh_sne(threads: int, seed: int, iterations: int) -> Embed:
    """Return the notebook's bh_sne, which prints the time of its neighbor search.

    It takes float64, and has always one thread and 1,000 iterations.
    """
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
    "ours_compiled": set_up_ours_compiled,
    "ours_pynndescent": set_up_ours_pynndescent,
    "openTSNE": set_up_opentsne,
    "openTSNE_ours": set_up_opentsne_ours,
    "h2pack": set_up_h2pack,
    "h2pack_ours": set_up_h2pack_ours,
    "manifolds": set_up_manifolds,
    "sklearnex": set_up_sklearnex,
    "sklearn": set_up_sklearn,
    "bh_sne": set_up_bh_sne,
}


@contextmanager
def time_compilation() -> Iterator[list[float]]:
    """Yield a list with the seconds in which numba compiled, which is complete at the end of the block."""
    if "numba" not in sys.modules:  # a peer without it must not be charged for importing it
        yield [0.0]
        return
    from numba.core.event import TimingListener, install_listener

    seconds, listener = [0.0], TimingListener()
    with install_listener("numba:compile", listener):
        yield seconds
    seconds[0] = listener.duration if listener.done else 0.0


def main(
    peer: str,
    features_path: str,
    map_path: str,
    record_path: str,
    points: int,
    threads: int,
    seed: int,
    iterations: int,
) -> None:
    """Write an embedding (n, 2) float32 of the first `points` rows of the features (all if 0), and a record as JSON.

    If the peer is not installed, the record has only the key `missing` with the reason.
    """
    try:
        embed = SET_UP[peer](threads, seed, iterations)
    except ImportError as error:
        Path(record_path).write_text(json.dumps({"missing": f"{error}"}))
        return
    # A copy, because the pages that were read from a mapping would count to the memory as well.
    features = np.array(np.load(features_path, mmap_mode="r")[:points]) if points else np.load(features_path)
    called, cpu, started = time.monotonic(), cpu_seconds(), time.perf_counter()
    with time_compilation() as compile_seconds:
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
        "compile_seconds": round(compile_seconds[0], 3),
        "python": platform.python_version(),
        "versions": "; ".join(f"{package} {version(package)}" for package in PEERS[peer].packages),
    }
    Path(record_path).write_text(json.dumps(record))


if __name__ == "__main__":
    main(*sys.argv[1:5], *map(int, sys.argv[5:]))
