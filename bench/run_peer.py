"""One run of one implementation of t-SNE, in a process of its own, which compare.py measures.

What a peer needs is imported where it is set up, so that the process has only that.
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
from measuring import cpu_seconds

PERPLEXITY = 30

# From features (n, d) float32 to a map (n, 2), and how many seconds it took until the first iteration
Call = Callable[[np.ndarray], tuple[np.ndarray, float]]


def ours(threads: int, seed: int) -> Call:
    """This workflow's find_neighbors and embed_tsne, as their rules call them by default."""
    import yaml
    from embed_tsne import affinities, fit_opentsne, start_layout
    from find_neighbors import find_neighbors

    from common.tsne.affinities import n_neighbors

    config = yaml.safe_load((Path(__file__).parents[1] / "config/config.yaml").read_text())
    parameters = config["tsne"] | {"perplexity": PERPLEXITY, "seed": seed}

    def call(features: np.ndarray) -> tuple[np.ndarray, float]:
        started = time.perf_counter()
        found, _ = find_neighbors(features, features[:0], n_neighbors(PERPLEXITY), seed, config["memory"], threads)
        neighbors = affinities(found, PERPLEXITY, threads)
        start = start_layout(features, seed)
        prepared = time.perf_counter() - started
        return fit_opentsne(neighbors, start, parameters, threads)[0], prepared

    return call


def noting(tsne: Any, fit: str, method: str, ends: bool) -> Call:
    """A call of an estimator's `fit` that notes when its iterations begin: as `method` is called, or as it `ends`."""
    of_class = getattr(tsne, method)
    noted = []

    def noted_method(*arguments: Any, **settings: Any) -> Any:
        called = time.perf_counter()
        result = of_class(*arguments, **settings)
        noted.append(time.perf_counter() if ends else called)
        return result

    def call(features: np.ndarray) -> tuple[np.ndarray, float]:
        started = time.perf_counter()
        made = getattr(tsne, fit)(features)
        return np.asarray(made), noted[0] - started

    setattr(tsne, method, noted_method)
    return call


def opentsne(threads: int, seed: int) -> Call:
    """openTSNE's defaults."""
    import openTSNE

    tsne = openTSNE.TSNE(perplexity=PERPLEXITY, n_jobs=threads, random_state=seed)
    return noting(tsne, "fit", "prepare_initial", ends=True)


def sklearn(threads: int, seed: int) -> Call:
    """scikit-learn's defaults."""
    from sklearn.manifold import TSNE

    tsne = TSNE(perplexity=PERPLEXITY, n_jobs=threads, random_state=seed)
    return noting(tsne, "fit_transform", "_tsne", ends=False)


def sklearnex(threads: int, seed: int) -> Call:
    """scikit-learn-intelex's defaults."""
    from sklearnex.manifold import TSNE

    tsne = TSNE(perplexity=PERPLEXITY, n_jobs=threads, random_state=seed)
    return noting(tsne, "fit_transform", "_daal_tsne", ends=False)


def bh_sne(threads: int, seed: int) -> Call:
    """The notebook's; it has one thread, takes float64, and says itself how long its search for neighbors took."""
    from tsne import bh_sne as fit

    def call(features: np.ndarray) -> tuple[np.ndarray, float]:
        with tempfile.TemporaryFile() as said:
            standard = os.dup(1)
            os.dup2(said.fileno(), 1)
            random_state = np.random.RandomState(seed)
            made = fit(features.astype(np.float64), perplexity=PERPLEXITY, random_state=random_state, verbose=True)
            ctypes.CDLL(None).fflush(None)  # C's own buffer
            os.dup2(standard, 1)
            said.seek(0)
            words = said.read().decode()
        print(words)
        return made, float(words.split("Done in ")[1].split()[0])

    return call


SET_UP = {"ours": ours, "openTSNE": opentsne, "sklearnex": sklearnex, "sklearn": sklearn, "bh_sne": bh_sne}


def main(peer: str, features_path: str, map_path: str, facts_path: str, points: int, threads: int, seed: int) -> None:
    """Lay out the first `points` rows of the features (all, if 0): a map (n, 2) float32 .npy, and its facts as JSON.

    Where the peer is not installed the only fact is `missing`, the reason.
    """
    try:
        call = SET_UP[peer](threads, seed)
    except ImportError as error:
        Path(facts_path).write_text(json.dumps({"missing": f"{error}"}))
        return
    # held once: of a mapping that is still there what was read would count, too
    features = np.array(np.load(features_path, mmap_mode="r")[:points]) if points else np.load(features_path)
    called, cpu, started = time.monotonic(), cpu_seconds(), time.perf_counter()
    made, prepared = call(features)
    seconds, cpu = time.perf_counter() - started, cpu_seconds() - cpu
    np.save(map_path, np.asarray(made, np.float32))
    facts = {
        "called": called,
        "points": len(features),
        "dimensions": features.shape[1],
        "prepare_seconds": round(prepared, 3),
        "optimize_seconds": round(seconds - prepared, 3),
        "seconds": round(seconds, 3),
        "cpu_seconds": round(cpu, 3),
        "python": platform.python_version(),
        "versions": "; ".join(f"{package} {version(package)}" for package in PEERS[peer].packages),
    }
    Path(facts_path).write_text(json.dumps(facts))


if __name__ == "__main__":
    main(*sys.argv[1:5], *map(int, sys.argv[5:]))
