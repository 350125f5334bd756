"""One stage of this workflow's t-SNE of the first of many images, in a process of its own, which growth.py measures."""

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
from embed_tsne import fit_opentsne, kl_divergence, start_layout
from growth import FEATURES, FOLDER, IMAGES
from measuring import OURS, cpu_seconds
from openTSNE.affinity import PrecomputedAffinities
from scipy.sparse import load_npz, save_npz

from common.errors import UserError
from common.files import atomic_write
from common.inputs import load_array
from common.knn.index import make_search, search_others
from common.readers.sources import as_images, npy_rows, write_rows
from common.tsne.affinities import affinities, n_neighbors

CONFIG = yaml.safe_load((Path(__file__).parents[1] / "config/config.yaml").read_text())
FEW = (100, 5000)  # points of a first try, that nothing is compiled while it is measured: all pairs, and a grid


class Timed:
    """What the block of a with statement takes: wall and CPU seconds."""

    def __enter__(self) -> Self:
        """From here on."""
        self.started = time.perf_counter(), cpu_seconds()
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Up to here."""
        ended = time.perf_counter(), cpu_seconds()
        self.seconds, self.cpu_seconds = (round(end - start, 3) for start, end in zip(self.started, ended, strict=True))


def handed(points: int, name: str) -> Path:
    """Where a stage leaves something for the next."""
    return FOLDER / f"{points}-{name}"


def first_features(points: int) -> np.ndarray:
    """The features of so many images, (points, d) float32, mapped from the disk."""
    images = load_array(FEATURES)
    return images.reshape(len(images), -1)[:points]


def neighbors(points: int, threads: int, seed: int, timed: Timed) -> dict[str, Any]:
    """The neighbors, as find_neighbors finds them, and the plan of the search."""
    features, k = first_features(points), n_neighbors(CONFIG["tsne"]["perplexity"])
    with timed:
        search, facts = make_search(features, k, seed, CONFIG["memory"], threads)
        indices, distances = search_others(search, features, np.arange(points), k)
    np.savez(handed(points, "neighbors.npz"), indices=indices, distances=distances)
    said = "an exact search"
    if facts["method"] == "projected":
        said = "{} components, {} k candidates, {:,} cells".format(*search.keywords["plan"])
    return {"dimensions": features.shape[1], "recall": round(facts["recall"], 6), "plan": said}


def of_neighbors(points: int, threads: int, seed: int, timed: Timed) -> dict[str, Any]:
    """The affinities and the start."""
    found, features = dict(np.load(handed(points, "neighbors.npz"))), first_features(points)
    with timed:
        attraction = affinities(found, CONFIG["tsne"]["perplexity"], threads)
        start = start_layout(features, seed)
    save_npz(handed(points, "affinities.npz"), attraction.P, compressed=False)
    np.save(handed(points, "start.npy"), start)
    return {}


def optimization(points: int, threads: int, seed: int, timed: Timed) -> dict[str, Any]:
    """The map."""
    attraction, start = load_npz(handed(points, "affinities.npz")), np.load(handed(points, "start.npy"))
    parameters = CONFIG["tsne"] | {"seed": seed}

    def fit(count: int, **changes: int) -> np.ndarray:
        some = attraction if count == points else attraction[:count][:, :count]
        return fit_opentsne(PrecomputedAffinities(some, normalize=False), start[:count], parameters | changes, threads)[
            0
        ]

    for few in FEW:
        fit(min(few, points), exaggerated_iterations=1, iterations=1)
    with timed:
        made = fit(points)
    np.save(handed(points, "map.npy"), made.astype(np.float32))
    return {}


def divergence(points: int, threads: int, seed: int, timed: Timed) -> dict[str, Any]:
    """The KL divergence."""
    attraction, made = load_npz(handed(points, "affinities.npz")), np.load(handed(points, "map.npy"))
    kl_divergence(made[: FEW[0]], attraction[: FEW[0]][:, : FEW[0]], threads)
    with timed:
        found = kl_divergence(made, attraction, threads)
    return {"kl_divergence": round(found, 4)}


STAGES: dict[str, Callable] = {
    "neighbors": neighbors,
    "affinities": of_neighbors,
    "optimization": optimization,
    "divergence": divergence,
}


def features(most: int) -> None:
    """Write the pixels of all images, as flatten_images has them, unless it is done; UserError if they are too few."""
    rows = as_images(npy_rows(f"{IMAGES}"))
    if rows.shape[0] < most:
        raise UserError(
            f"{IMAGES} has {rows.shape[0]:,} images, and {most:,} are asked for: make more (bench/deform.py {most}), "
            "or ask for fewer (--points)"
        )
    if not FEATURES.exists() or FEATURES.stat().st_mtime < IMAGES.stat().st_mtime:
        with atomic_write(FEATURES) as part:
            write_rows(rows, np.arange(rows.shape[0]), part)


def main(stage: str, points: int, threads: int, seed: int) -> None:
    """Run a stage with so many images; writes what it found and took to {points}-{stage}.json."""
    timed = Timed()
    facts = STAGES[stage](points, threads, seed, timed)
    facts |= {
        "seconds": timed.seconds,
        "cpu_seconds": timed.cpu_seconds,
        "python": platform.python_version(),
        "versions": "; ".join(f"{package} {version(package)}" for package in OURS),
    }
    handed(points, f"{stage}.json").write_text(json.dumps(facts))


if __name__ == "__main__":
    stage, *numbers = sys.argv[1:]
    try:
        features(*map(int, numbers)) if stage == "features" else main(stage, *map(int, numbers))
    except UserError as error:
        sys.exit(f"{error}")
