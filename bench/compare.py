"""Measure this workflow's t-SNE beside others', on the features of one data set: `make bench`.

Each run is a process of its own (run_peer.py), and so is the scoring of its map (score_run.py).
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

from measuring import OURS, SHARED, Runs, environment, last_line, machine, measure, need, take_cores, write

from common.errors import UserError


@dataclass(frozen=True)
class Peer:
    """An implementation of t-SNE: what a reader calls it, and whether it is too slow to be run more than once."""

    name: str
    slow: bool
    settings: str  # what it does, in a few words
    packages: tuple[str, ...]  # whose versions are recorded, its own first
    needs: str = "make bench installs it"  # what to say where it is not installed


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
    # of the call: until the first iteration, from there on, and both; wall and CPU
    *("prepare_seconds", "optimize_seconds", "seconds", "cpu_seconds"),
    # of the process: until the call, and altogether
    *("start_seconds", "process_seconds", "process_cpu_seconds", "peak_mib"),
    *("kl_divergence", "knn_preservation_10", "knn_accuracy_map"),
    *("processor", "cores", "python", "versions", "note"),
)
HERE = Path(__file__).parent


def plan(layers: Sequence[str], peers: Sequence[str], rounds: int) -> list[tuple[str, int, str]]:
    """The runs, (layer, round, peer), in their order: the peers take turns, the slow ones once, of the first layer."""
    return [
        (layer, turn, peer)
        for layer in layers
        for turn in range(1, rounds + 1)
        for peer in peers
        if not PEERS[peer].slow or (layer, turn) == (layers[0], 1)
    ]


def run(peer: str, features: Path, labels: Path, stem: Path, points: int, threads: int, seed: int) -> dict[str, Any]:
    """One measured run of a peer, and its map's scores; the map and the words go to files that begin with `stem`.

    `points` is how many of the rows are taken, 0 for all. Where the peer is not installed, or fails, the only result is
    a `note` that says so.
    """
    made, facts, log = (stem.with_name(stem.name + suffix) for suffix in (".npy", ".json", ".log"))
    for path in (made, facts):
        path.unlink(missing_ok=True)
    arguments = [peer, features, made, facts, points, threads, seed]
    status, started, taken = measure([sys.executable, HERE / "run_peer.py", *map(str, arguments)], log, threads)
    if status or not facts.exists():
        return {"note": f"failed with status {status}: {last_line(log)}"}
    found = json.loads(facts.read_text())
    if "missing" in found:
        return {"note": f"not installed ({found['missing']}); {PEERS[peer].needs}"}
    found["start_seconds"] = round(found.pop("called") - started, 3)
    neighbors = stem.with_name(f"{features.stem}-{found['points']}-neighbors.npz")
    arguments = map(str, (features, labels, made, neighbors, threads))
    scores = subprocess.run(
        [sys.executable, HERE / "score_run.py", *arguments], capture_output=True, text=True, env=environment(threads)
    )
    if scores.returncode:
        log.write_text(log.read_text() + scores.stderr)
        return {"note": f"its map could not be scored: {last_line(log)}"}
    return found | taken | json.loads(scores.stdout)


def workflow_file(path: Path) -> Path:
    """The path of a file that the workflow has made; raises UserError if it has not."""
    return need(path, f"snakemake --cores all {path}")


def compare(
    dataset: str, layers: Sequence[str], peers: Sequence[str], rounds: int, points: int, threads: int
) -> list[dict[str, Any]]:
    """Measure what is planned, a row a run (COLUMNS), in the order of the plan; `points` of the rows, 0 for all.

    Each row is kept in results/{dataset}/bench/ as it comes, until all are there; what an unfinished benchmark of as
    many points and threads has measured is not measured again. Raises UserError if features or labels are not there, or
    nothing could be measured.
    """
    made = Path("results", dataset)
    labels = workflow_file(made / "data/train_labels.npy")
    features = {layer: workflow_file(made / "features" / f"{layer}.npy") for layer in layers}
    folder = made / "bench"
    folder.mkdir(exist_ok=True)
    runs = Runs(folder / f"unfinished-{points or 'all'}-{threads}.csv", COLUMNS, ("layer", "round", "peer"))
    take_cores(threads)
    planned = plan(layers, peers, rounds)
    for number, (layer, turn, peer) in enumerate(planned, 1):
        seed, stem = SEED + turn, folder / f"{layer}-{peer}-{turn}"
        facts = {"layer": layer, "peer": peer, "round": turn, "seed": seed, "threads": threads, **machine()}
        row = runs.row(facts, partial(run, peer, features[layer], labels, stem, points, threads, seed))
        said = row.get("note") or f"{float(row['seconds']):.1f} s, KL divergence {float(row['kl_divergence']):.4f}"
        print(f"{number} of {len(planned)}: {layer}, round {turn}, {PEERS[peer].name}: {said}", flush=True)
    return runs.finish()


def arguments() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(
        description="Measure this workflow's t-SNE beside others'; writes docs/benchmark.*"
    )
    parser.add_argument("--dataset", default="MNIST", help="whose features, in results/")
    parser.add_argument("--layers", nargs="+", default=["pixel", "conv1", "dense3"])
    parser.add_argument("--peers", nargs="+", default=list(PEERS), choices=PEERS)
    parser.add_argument("--rounds", type=int, default=3, help="the slow peers run once, of the first layer")
    parser.add_argument("--points", type=int, default=0, help="so many of the first rows; 0: all")
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args()


if __name__ == "__main__":
    try:
        write(Path("docs/benchmark.csv"), COLUMNS, compare(**vars(arguments())))
    except UserError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit("error: interrupted; the same command goes on from here")
    sys.exit(subprocess.run([sys.executable, HERE / "report.py"]).returncode)
