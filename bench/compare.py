"""Compare this workflow's t-SNE with other implementations on the features of one data set: `make bench`.

Each run is a separate process (run_peer.py), and so is the scoring of its embedding (score_run.py).
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from measuring import (
    OURS,
    SHARED,
    Runs,
    limit_cores,
    limit_threads,
    machine,
    measure,
    read_last_line,
    read_table,
    require_file,
    rotate,
    write_table,
)

from common.errors import UserError


@dataclass(frozen=True)
class Peer:
    """An implementation of t-SNE."""

    name: str  # as it is printed
    neighbors: str  # by which it computes the affinities
    iterations: tuple[int, ...]  # numbers of iterations to run: the default first, the others in the first round only
    settings: str  # in a few words
    packages: tuple[str, ...]  # whose versions are recorded, that of the implementation first
    slow: bool = False  # it runs once only, for the first layer
    remedy: str = "make bench installs it"  # printed if it is not installed


OWN_SCHEDULE = "100 iterations with exaggeration, the others without"
OPENTSNE_SCHEDULE = "250 iterations with exaggeration, the others without"
PEERS = {
    "ours": Peer("this workflow", "its own, recall 0.999", (300, 200, 250, 500, 1000), OWN_SCHEDULE, OURS),
    "ours_compiled": Peer(
        "this workflow, first run",
        "its own, recall 0.999",
        (300,),
        f"{OWN_SCHEDULE}; all code is compiled within the call, since no cache is there",
        OURS,
        slow=True,
    ),
    "ours_pynndescent": Peer(
        "this workflow, PyNNDescent's neighbors",
        "PyNNDescent, approximate",
        (300,),
        f"PyNNDescent's defaults in place of this workflow's search, compiled in each process; {OWN_SCHEDULE}",
        ("pynndescent", *OURS),
    ),
    "openTSNE": Peer("openTSNE", "its own, approximate", (750,), OPENTSNE_SCHEDULE, ("openTSNE", *SHARED)),
    "openTSNE_ours": Peer(
        "openTSNE, our neighbors",
        "this workflow's",
        (750, 500, 1000),
        f"only its affinities and its optimization; {OPENTSNE_SCHEDULE}",
        ("openTSNE", *SHARED),
    ),
    "h2pack": Peer(
        "tsne-h2pack",
        "PyNNDescent, approximate",
        (1000,),
        f"random start; {OPENTSNE_SCHEDULE}; PyNNDescent is compiled in each process",
        ("tsne-h2pack", "pynndescent", "numba", *SHARED),
        remedy="make bench installs it, on Linux with an x86-64 processor",
    ),
    "h2pack_ours": Peer(
        "tsne-h2pack, our neighbors",
        "this workflow's",
        (1000, 500, 750),
        f"only its affinities and its optimization; random start; {OPENTSNE_SCHEDULE}",
        ("tsne-h2pack", *SHARED),
        remedy="make bench installs it, on Linux with an x86-64 processor",
    ),
    "manifolds": Peer(
        "manifolds-rs",
        "exact",
        (1000,),
        "Barnes-Hut, its default; 250 iterations with exaggeration",
        ("manifolds-rs", "numpy"),
        slow=True,
    ),
    "sklearnex": Peer(
        "scikit-learn-intelex",
        "exact",
        (1000,),
        "up to 1,000 iterations, 250 of them with exaggeration",
        ("scikit-learn-intelex", "daal", *SHARED),
        slow=True,
        remedy="make bench installs it, on Linux with an x86-64 processor",
    ),
    "sklearn": Peer(
        "scikit-learn",
        "exact",
        (1000,),
        "up to 1,000 iterations, 250 of them with exaggeration",
        (*SHARED[::-1],),
        slow=True,
    ),
    "bh_sne": Peer(
        "bh_sne",
        "exact, by a tree",
        (1000,),
        "the notebook's, on one thread; 250 iterations with exaggeration",
        ("tsne", "numpy", "scipy"),
        slow=True,
        remedy="make bench builds it where there are a C++ compiler and OpenBLAS: apt-get install g++ libopenblas-dev",
    ),
}
SEED = 1003  # plus the number of the round
SECTION = ("dataset", "layer", "threads")  # the runs of a section are compared with each other
COLUMNS = (
    *("dataset", "layer", "dimensions", "points", "peer", "iterations", "round", "seed", "threads"),
    # Of the call: until the first iteration, from there on, and both; wall-clock and CPU time
    *("prepare_seconds", "optimize_seconds", "seconds", "cpu_seconds"),
    "compile_seconds",  # of the call, in which numba compiled
    # Of the process: until the call, and in total
    *("start_seconds", "process_seconds", "process_cpu_seconds", "peak_mib"),
    *("kl_divergence", "knn_preservation_10", "knn_accuracy_map"),
    *("processor", "cores", "python", "versions", "note"),
)
HERE = Path(__file__).parent


def plan_runs(layers: Sequence[str], peers: Sequence[str], rounds: int) -> list[tuple[str, int, str, int]]:
    """Return the runs (layer, round, peer, number of iterations) in order.

    In each round of a layer, another peer is the first. Slow peers run once, for the first layer. Numbers of iterations
    other than a peer's default run in the first round.
    """
    return [
        (layer, turn + 1, peer, iterations)
        for layer in layers
        for turn, peer in rotate(peers, rounds)
        if not PEERS[peer].slow or (layer, turn) == (layers[0], 0)
        for iterations in (PEERS[peer].iterations if turn == 0 else PEERS[peer].iterations[:1])
    ]


def run(
    peer: str, features: Path, labels: Path, stem: Path, points: int, threads: int, seed: int, iterations: int
) -> dict[str, Any]:
    """Run a peer; return its measurements and the scores of its embedding.

    The embedding and the output go to files whose names begin with `stem`. The first `points` rows are used, all if it
    is 0. If the peer is not installed or fails, the only result is a `note` with the reason.
    """
    embedding, record, log = (stem.with_name(stem.name + suffix) for suffix in (".npy", ".json", ".log"))
    for path in (embedding, record):
        path.unlink(missing_ok=True)
    arguments = [peer, features, embedding, record, points, threads, seed, iterations]
    status, started, usage = measure([sys.executable, HERE / "run_peer.py", *map(str, arguments)], log, threads)
    if status or not record.exists():
        return {"note": f"failed with status {status}: {read_last_line(log)}"}
    measured = json.loads(record.read_text())
    if "missing" in measured:
        return {"note": f"not installed ({measured['missing']}); {PEERS[peer].remedy}"}
    measured["start_seconds"] = round(measured.pop("called") - started, 3)
    neighbors = stem.with_name(f"{features.stem}-{measured['points']}-neighbors.npz")
    arguments = map(str, (features, labels, embedding, neighbors, threads))
    scores = subprocess.run(
        [sys.executable, HERE / "score_run.py", *arguments], capture_output=True, text=True, env=limit_threads(threads)
    )
    if scores.returncode:
        log.write_text(log.read_text() + scores.stderr)
        return {"note": f"the embedding could not be scored: {read_last_line(log)}"}
    return measured | usage | json.loads(scores.stdout)


def require_output(path: Path) -> Path:
    """Return the path of an output of the workflow; raises UserError if it does not exist."""
    return require_file(path, f"snakemake --cores all {path}")


def compare(
    dataset: str, layers: Sequence[str], peers: Sequence[str], rounds: int, points: int, threads: int
) -> list[dict[str, Any]]:
    """Return the measurements (COLUMNS) of all planned runs, in the order of the plan.

    The first `points` rows are used, all if it is 0. Until the benchmark is complete, measurements are stored in
    results/{dataset}/bench/; the runs of an interrupted benchmark with the same number of points and threads are not
    repeated. Raises UserError if features or labels do not exist, or if no run succeeds.
    """
    results = Path("results", dataset)
    labels = require_output(results / "data/train_labels.npy")
    features = {layer: require_output(results / "features" / f"{layer}.npy") for layer in layers}
    folder = results / "bench"
    folder.mkdir(exist_ok=True)
    runs = Runs(
        folder / f"unfinished-{points or 'all'}-{threads}.csv", COLUMNS, ("layer", "round", "peer", "iterations")
    )
    limit_cores(threads)
    planned = plan_runs(layers, peers, rounds)
    for number, (layer, turn, peer, iterations) in enumerate(planned, 1):
        seed, stem = SEED + turn, folder / f"{layer}-{peer}-{iterations}-{turn}"
        known = {"dataset": dataset, "layer": layer, "threads": threads, "peer": peer, "iterations": iterations}
        row = runs.add(
            known | {"round": turn, "seed": seed} | machine(),
            partial(run, peer, features[layer], labels, stem, points, threads, seed, iterations),
        )
        result = row.get("note") or f"{float(row['seconds']):.1f} s, KL divergence {float(row['kl_divergence']):.4f}"
        print(
            f"{number} of {len(planned)}: {layer}, round {turn}, {PEERS[peer].name}, {iterations} iterations: {result}",
            flush=True,
        )
    return runs.finish()


def merge(stored: Sequence[Mapping[str, Any]], measured: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return stored and measured runs; measured ones replace the stored ones of the same section and peer."""

    def key_of(row: Mapping[str, Any]) -> tuple[str, ...]:
        return tuple(str(row[column]) for column in (*SECTION, "peer"))

    replaced = set(map(key_of, measured))
    return [row for row in stored if key_of(row) not in replaced] + list(measured)


def parse_arguments() -> argparse.Namespace:
    """Return the arguments of the command line."""
    parser = argparse.ArgumentParser(
        description="Compare this workflow's t-SNE with other implementations. Writes docs/benchmark.*, "
        "where runs of the same data set, layer, number of threads and implementation are replaced"
    )
    parser.add_argument("--dataset", default="MNIST", help="name of the data set in results/")
    parser.add_argument("--layers", nargs="+", default=["pixel", "conv1", "dense3"])
    parser.add_argument("--peers", nargs="+", default=list(PEERS), choices=PEERS)
    parser.add_argument("--rounds", type=int, default=3, help="slow peers run once, for the first layer")
    parser.add_argument("--points", type=int, default=0, help="number of rows to use, the first ones; 0: all")
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args()


if __name__ == "__main__":
    try:
        measured, table = compare(**vars(parse_arguments())), Path("docs/benchmark.csv")
        write_table(table, COLUMNS, merge(read_table(table), measured))
    except UserError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit("error: Interrupted. Run the same command again to continue.")
    sys.exit(subprocess.run([sys.executable, HERE / "report.py"]).returncode)
