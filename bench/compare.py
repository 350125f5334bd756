"""Compare this workflow's t-SNE with other implementations on the features of one data set: `make bench`.

Each run is a separate process (run_peer.py), and so is the scoring of its embedding (score_run.py).
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
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
    require_file,
    write_table,
)

from common.errors import UserError


@dataclass(frozen=True)
class Peer:
    """An implementation of t-SNE."""

    name: str  # as it is printed
    slow: bool  # it runs once only
    settings: str  # in a few words
    packages: tuple[str, ...]  # whose versions are recorded, that of the implementation first
    remedy: str = "make bench installs it"  # printed if it is not installed


PEERS = {
    "ours": Peer(
        "this workflow",
        False,
        "`find_neighbors` and `embed_tsne`; 250 iterations with exaggeration, then 500 without",
        OURS,
    ),
    "openTSNE": Peer(
        "openTSNE",
        False,
        "approximate neighbor search, exact for few rows; 250 iterations with exaggeration, then 500 without",
        ("openTSNE", *SHARED),
    ),
    "sklearnex": Peer(
        "scikit-learn-intelex",
        True,
        "exact neighbors; up to 1,000 iterations, 250 of them with exaggeration",
        ("scikit-learn-intelex", "daal", *SHARED),
        "make bench installs it, on Linux with an x86-64 processor",
    ),
    "sklearn": Peer(
        "scikit-learn",
        True,
        "exact neighbors; up to 1,000 iterations, 250 of them with exaggeration",
        (*SHARED[::-1],),
    ),
    "bh_sne": Peer(
        "bh_sne",
        True,
        "the notebook's, on one thread: exact neighbors by a tree; 1,000 iterations, 250 of them with exaggeration",
        ("tsne", "numpy", "scipy"),
        "make bench builds it where there are a C++ compiler and OpenBLAS: apt-get install g++ libopenblas-dev",
    ),
}
SEED = 1003  # plus the number of the round
COLUMNS = (
    *("layer", "dimensions", "points", "peer", "round", "seed", "threads"),
    # Of the call: until the first iteration, from there on, and both; wall-clock and CPU time
    *("prepare_seconds", "optimize_seconds", "seconds", "cpu_seconds"),
    # Of the process: until the call, and in total
    *("start_seconds", "process_seconds", "process_cpu_seconds", "peak_mib"),
    *("kl_divergence", "knn_preservation_10", "knn_accuracy_map"),
    *("processor", "cores", "python", "versions", "note"),
)
HERE = Path(__file__).parent


def plan_runs(layers: Sequence[str], peers: Sequence[str], rounds: int) -> list[tuple[str, int, str]]:
    """Return the runs (layer, round, peer) in order: the peers alternate; slow ones run once, for the first layer."""
    return [
        (layer, turn, peer)
        for layer in layers
        for turn in range(1, rounds + 1)
        for peer in peers
        if not PEERS[peer].slow or (layer, turn) == (layers[0], 1)
    ]


def run(peer: str, features: Path, labels: Path, stem: Path, points: int, threads: int, seed: int) -> dict[str, Any]:
    """Run a peer; return its measurements and the scores of its embedding.

    The embedding and the output go to files whose names begin with `stem`. The first `points` rows are used, all if it
    is 0. If the peer is not installed or fails, the only result is a `note` with the reason.
    """
    embedding, record, log = (stem.with_name(stem.name + suffix) for suffix in (".npy", ".json", ".log"))
    for path in (embedding, record):
        path.unlink(missing_ok=True)
    arguments = [peer, features, embedding, record, points, threads, seed]
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
    runs = Runs(folder / f"unfinished-{points or 'all'}-{threads}.csv", COLUMNS, ("layer", "round", "peer"))
    limit_cores(threads)
    planned = plan_runs(layers, peers, rounds)
    for number, (layer, turn, peer) in enumerate(planned, 1):
        seed, stem = SEED + turn, folder / f"{layer}-{peer}-{turn}"
        known = {"layer": layer, "peer": peer, "round": turn, "seed": seed, "threads": threads, **machine()}
        row = runs.add(known, partial(run, peer, features[layer], labels, stem, points, threads, seed))
        result = row.get("note") or f"{float(row['seconds']):.1f} s, KL divergence {float(row['kl_divergence']):.4f}"
        print(f"{number} of {len(planned)}: {layer}, round {turn}, {PEERS[peer].name}: {result}", flush=True)
    return runs.finish()


def parse_arguments() -> argparse.Namespace:
    """Return the arguments of the command line."""
    parser = argparse.ArgumentParser(
        description="Compare this workflow's t-SNE with other implementations. Writes docs/benchmark.*"
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
        write_table(Path("docs/benchmark.csv"), COLUMNS, compare(**vars(parse_arguments())))
    except UserError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit("error: Interrupted. Run the same command again to continue.")
    sys.exit(subprocess.run([sys.executable, HERE / "report.py"]).returncode)
