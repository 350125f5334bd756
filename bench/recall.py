"""Measure how an embedding and its scores change with the recall of the neighbors that it is computed from.

PYTHONPATH=scripts:bench .venv/bin/python bench/recall.py results/MNIST   # writes docs/recall.csv
"""

import math
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd
from layer_run import ROOT, SHOWN, TSNE, LayerRun, embed

from common.files import atomic_write
from common.knn.index import DEPTHS, Plan, ProjectedSearch, search_exactly, search_others
from common.knn.results import recall
from common.tsne.affinities import compute_affinities
from common.tsne.objective import kl_divergence
from common.tsne.perplexity import n_neighbors
from common.tsne.start import make_start, scale_start

LAYERS = ("pixel", "conv1")
RECALLS = (0.9, 0.96, 0.99, 0.999)
SEEDS = (1004, 1005, 1006)
SAMPLE = 300  # rows by which a plan is made, and as many others by which its recall is measured
MEMORY_MB = 2000
THREADS = PROCESSES = 2
OUTPUT = ROOT / "docs/recall.csv"

Neighbors = dict[str, np.ndarray]


def make_plan(search: ProjectedSearch, sample: np.ndarray, exact: np.ndarray, goal: float) -> Plan:
    """Return a fast plan whose recall of the `exact` neighbors (m, k) of the rows `sample` (m,) is about `goal`."""
    for depth in DEPTHS:
        all_cells = Plan(*depth, visits=len(search.centers))
        found = search.find_known(sample, exact, all_cells)
        if found.mean() >= (1 + 3 * goal) / 4:
            break
    visits = np.sort(search.visits_needed(sample, exact)[found])[min(math.ceil(goal * exact.size), found.sum()) - 1]
    return all_cells._replace(visits=int(visits))


def search_neighbors(run: LayerRun, goals: tuple[float, ...]) -> dict[float, tuple[Neighbors, float, float]]:
    """Return the neighbors of all rows for each goal of the recall, the recall itself, and the seconds of the search.

    The seconds include the index, which all goals share.
    """
    features, k = run.rows[:], n_neighbors(TSNE["perplexity"])
    drawn = np.random.default_rng(SEEDS[0]).choice(len(features), (2, SAMPLE), replace=False)
    find_exactly = partial(search_exactly, features, memory_mb=MEMORY_MB, threads=THREADS)
    planning, testing = (search_others(find_exactly, features[rows], rows, k)[0] for rows in drawn)
    started = time.perf_counter()
    search, found = ProjectedSearch(features, SEEDS[0], MEMORY_MB, THREADS), {}
    built = time.perf_counter() - started
    for goal in goals:
        plan, started = make_plan(search, drawn[0], planning, goal), time.perf_counter()
        indices, distances = search_others(partial(search, plan=plan), features, np.arange(len(features)), k)
        seconds = built + time.perf_counter() - started
        neighbors = {"indices": indices, "distances": distances}
        found[goal] = neighbors, recall(indices[drawn[1]], testing), seconds
    return found


def measure(task: tuple[str, Neighbors, int], folder: Path) -> dict:
    """Return the KL divergence and the scores of an embedding of a layer from some neighbors, for a seed.

    The KL divergence is that from the affinities of the run's own neighbors.
    """
    layer, neighbors, seed = task
    run = LayerRun(folder, layer)
    if layer == "pixel":
        start = make_start(run.rows, seed)
    else:
        start = scale_start(np.concatenate(LayerRun(folder, "pixel").coordinates), seed)
    coordinates, _ = embed(neighbors, start, seed)
    divergence = kl_divergence(coordinates, compute_affinities(run.joint_neighbors, TSNE["perplexity"], 1).P)
    scores = run.score(run.split_rows(coordinates))
    row = {"layer": layer, "seed": seed, "kl_divergence": divergence}
    return row | {f"{score}_{split}": scores[split][score] for split in ("train", "test") for score in SHOWN}


if __name__ == "__main__":
    folder, rows = Path(sys.argv[1]), []
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        for layer in LAYERS:
            for goal, (neighbors, share, seconds) in search_neighbors(LayerRun(folder, layer), RECALLS).items():
                tasks = [(layer, neighbors, seed) for seed in SEEDS]
                known = {"goal": goal, "recall": share, "search_seconds": seconds}
                rows += [known | row for row in pool.map(partial(measure, folder=folder), tasks)]
                print(rows[-1], flush=True)
    table = pd.DataFrame(rows).round({"search_seconds": 1})
    with atomic_write(OUTPUT) as part:
        table[["layer", *table.columns.drop("layer")]].to_csv(part, index=False, float_format="%.6g")
    print(table.to_string())
