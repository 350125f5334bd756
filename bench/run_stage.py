"""Run one stage of this workflow's t-SNE on the first of many images, in a separate process that growth.py measures."""

import json
import platform
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import yaml
from growth import FEATURES, FOLDER, IMAGES
from measuring import OURS, cpu_seconds
from openTSNE.affinity import PrecomputedAffinities
from scipy.sparse import load_npz, save_npz
from scipy.spatial import KDTree

from common.errors import UserError
from common.files import atomic_write
from common.inputs import load_array
from common.knn.index import EXACT_ROWS, Search, build_search, search_others
from common.knn.results import recall
from common.readers.images import as_images
from common.readers.streams import stream_npy, write_rows
from common.scoring.parameters import N_VOTERS
from common.scoring.votes import vote
from common.tsne.affinities import compute_affinities
from common.tsne.objective import kl_divergence
from common.tsne.opentsne import fit_opentsne
from common.tsne.perplexity import n_neighbors
from common.tsne.start import make_start

CONFIG = yaml.safe_load((Path(__file__).parents[1] / "config/config.yaml").read_text())
# Points that are embedded first, so that nothing is compiled within the measurement: with all pairs, and with a grid
WARM_UP = (100, 5000)
SAMPLE = 10_000  # rows by which the embedding is judged


class Timer:
    """A measurement of the wall-clock and CPU time of a `with` block, in seconds."""

    def __enter__(self) -> Self:
        """Start the measurement."""
        self.started = time.perf_counter(), cpu_seconds()
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """End the measurement."""
        ended = time.perf_counter(), cpu_seconds()
        self.seconds, self.cpu_seconds = (round(end - start, 3) for start, end in zip(self.started, ended, strict=True))


def stage_file(points: int, name: str) -> Path:
    """Return the path of a file that one stage writes for the next."""
    return FOLDER / f"{points}-{name}"


def load_features(points: int) -> np.ndarray:
    """Return the features of the first images, (points, d) float32, memory-mapped."""
    images = load_array(FEATURES)
    return images.reshape(len(images), -1)[:points]


def run_neighbors(points: int, threads: int, seed: int, timer: Timer) -> dict[str, Any]:
    """Write the neighbors, searched as by find_neighbors; return the recall and the plan of the search."""
    features, k = load_features(points), n_neighbors(CONFIG["tsne"]["perplexity"])

    def find(count: int) -> tuple[tuple[np.ndarray, np.ndarray], Search, dict[str, Any]]:
        search, facts = build_search(features[:count], k, seed, CONFIG["memory_mb"], threads)
        return search_others(search, features[:count], np.arange(count), k), search, facts

    find(min(EXACT_ROWS + 1, points))  # compiles all that a search calls
    with timer:
        (indices, distances), search, facts = find(points)
    np.savez(stage_file(points, "neighbors.npz"), indices=indices, distances=distances)
    plan = "an exact search"
    if facts["method"] == "projected":
        plan = "{} components, {} k candidates, {:,} cells".format(*search.keywords["plan"])
    return {"dimensions": features.shape[1], "recall": round(facts["recall"], 6), "plan": plan}


def run_affinities(points: int, threads: int, seed: int, timer: Timer) -> dict[str, Any]:
    """Write the affinities and the start."""
    neighbors, features = dict(np.load(stage_file(points, "neighbors.npz"))), load_features(points)
    with timer:
        affinities = compute_affinities(neighbors, CONFIG["tsne"]["perplexity"], threads)
        start = make_start(features, seed)
    save_npz(stage_file(points, "affinities.npz"), affinities.P, compressed=False)
    np.save(stage_file(points, "start.npy"), start)
    return {}


def run_optimization(points: int, threads: int, seed: int, timer: Timer) -> dict[str, Any]:
    """Write the embedding."""
    p, start = load_npz(stage_file(points, "affinities.npz")), np.load(stage_file(points, "start.npy"))
    parameters = CONFIG["tsne"] | {"seed": seed}

    def fit(count: int, **changes: int) -> np.ndarray:
        affinities = PrecomputedAffinities(p if count == points else p[:count][:, :count], normalize=False)
        return fit_opentsne(affinities, start[:count], parameters | changes, threads)[0]

    for count in WARM_UP:
        fit(min(count, points), exaggerated_iterations=1, iterations=1)
    with timer:
        coordinates = fit(points)
    np.save(stage_file(points, "map.npy"), coordinates.astype(np.float32))
    return {}


def run_divergence(points: int, threads: int, seed: int, timer: Timer) -> dict[str, Any]:
    """Return the KL divergence of the embedding."""
    p, coordinates = load_npz(stage_file(points, "affinities.npz")), np.load(stage_file(points, "map.npy"))
    few = WARM_UP[0]
    kl_divergence(coordinates[:few], p[:few][:, :few], threads)
    with timer:
        divergence = kl_divergence(coordinates, p, threads)
    return {"kl_divergence": round(divergence, 4)}


def run_quality(points: int, threads: int, seed: int, timer: Timer) -> dict[str, Any]:
    """Return the kNN accuracy and the kNN preservation of the embedding, of a sample of rows among all rows."""
    coordinates, labels = np.load(stage_file(points, "map.npy")), load_array(IMAGES.with_name("labels.npy"))
    sample = np.random.default_rng(seed).choice(points, min(SAMPLE, points), replace=False)
    with timer:
        nearest = KDTree(coordinates).query(coordinates[sample], N_VOTERS + 1)[1]
    itself = nearest == sample[:, None]
    itself[~itself.any(axis=1), -1] = True  # more than N_VOTERS copies
    nearest = nearest[~itself].reshape(-1, N_VOTERS)
    in_features = np.load(stage_file(points, "neighbors.npz"))["indices"][sample, :N_VOTERS]
    return {
        "knn_accuracy_map": round(float((vote(labels[nearest]) == labels[sample]).mean()), 4),
        "knn_preservation_10": round(recall(nearest, in_features), 4),
    }


STAGES: dict[str, Callable] = {
    "neighbors": run_neighbors,
    "affinities": run_affinities,
    "optimization": run_optimization,
    "divergence": run_divergence,
    "quality": run_quality,
}


def flatten_images(count: int) -> None:
    """Write the pixels of all images to FEATURES unless it is up to date; raises UserError if there are too few."""
    images = as_images(stream_npy(f"{IMAGES}"))
    if images.shape[0] < count:
        raise UserError(
            f"{IMAGES} has {images.shape[0]:,} images, and {count:,} are needed. "
            f"Write more (bench/deform.py {count}), or measure fewer (--points)."
        )
    if not FEATURES.exists() or FEATURES.stat().st_mtime < IMAGES.stat().st_mtime:
        with atomic_write(FEATURES) as part:
            write_rows(images, np.arange(images.shape[0]), part)


def main(stage: str, points: int, threads: int, seed: int) -> None:
    """Run a stage on the first `points` images; write its results and times to {points}-{stage}.json."""
    timer = Timer()
    record = STAGES[stage](points, threads, seed, timer)
    record |= {
        "seconds": timer.seconds,
        "cpu_seconds": timer.cpu_seconds,
        "python": platform.python_version(),
        "versions": "; ".join(f"{package} {version(package)}" for package in OURS),
    }
    stage_file(points, f"{stage}.json").write_text(json.dumps(record))


if __name__ == "__main__":
    stage, *numbers = sys.argv[1:]
    try:
        flatten_images(*map(int, numbers)) if stage == "features" else main(stage, *map(int, numbers))
    except UserError as error:
        sys.exit(f"{error}")
