"""Measure this workflow's t-SNE beside others', on the features of one data set: `make bench`.

Each run is a process of its own (run_peer.py), and so is the scoring of its map (score_run.py). This one stays small,
without NumPy, since Linux counts to a process's peak memory what the process that started it had.
"""

import argparse
import csv
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common.files import whole
from common.jobs import UserError


@dataclass(frozen=True)
class Peer:
    """An implementation of t-SNE: what a reader calls it, and in how many rounds it runs at the most."""

    name: str
    rounds: int
    settings: str  # what it does, in a few words
    packages: tuple[str, ...]  # whose versions are recorded, its own first
    needs: str = "make bench installs it"  # what to say where it is not installed


SHARED = ("numpy", "scipy", "scikit-learn")
PEERS = {
    "ours": Peer(
        "this workflow",
        3,
        "find_neighbors and embed_tsne; 250 exaggerated iterations and 500 more",
        ("openTSNE", "faiss-cpu", "numba", *SHARED),
    ),
    "openTSNE": Peer(
        "openTSNE",
        3,
        "its defaults: its own search for neighbors, approximate but for few rows; 250 + 500 iterations",
        ("openTSNE", *SHARED),
    ),
    "sklearnex": Peer(
        "scikit-learn-intelex",
        1,
        "its defaults: exact neighbors; up to 1,000 iterations, 250 of them exaggerated",
        ("scikit-learn-intelex", "daal", *SHARED),
        "make bench installs it, on Linux with an x86-64 processor",
    ),
    "sklearn": Peer(
        "scikit-learn",
        1,
        "its defaults: exact neighbors; up to 1,000 iterations, 250 of them exaggerated",
        (*SHARED[::-1],),
    ),
    "bh_sne": Peer(
        "bh_sne",
        1,
        "that of the notebook, on one thread: exact neighbors by a tree; 1,000 iterations, 250 of them exaggerated",
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
    *("kl_divergence", "kept_10", "map_accuracy"),
    *("processor", "cores", "python", "versions", "note"),
)
HERE = Path(__file__).parent


def plan(layers: Sequence[str], peers: Sequence[str], rounds: int) -> list[tuple[str, int, str]]:
    """The runs, as (layer, round, peer), in their order: the peers take turns, the slow ones in the first rounds."""
    turns = range(1, rounds + 1)
    return [(layer, turn, peer) for layer in layers for turn in turns for peer in peers if turn <= PEERS[peer].rounds]


def take_cores(threads: int) -> None:
    """Leave this process, and those that it starts, so many cores: oneDAL takes all that it sees. Linux only."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])


def environment(threads: int) -> dict[str, str]:
    """The environment of a process that is to compute with so many threads."""
    libraries = ("OMP", "OPENBLAS", "MKL", "NUMBA")
    return os.environ | {f"{library}_NUM_THREADS": f"{threads}" for library in libraries}


def machine() -> dict[str, Any]:
    """The processor's model, and how many cores of it there are to use."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return {"processor": models[0] if models else platform.machine(), "cores": os.cpu_count()}


def measure(command: Sequence[str], log: Path, threads: int) -> tuple[int, float, dict[str, float]]:
    """Run a command, its words going to `log`: its status, when it was started, and what the process took.

    The start is in seconds of time.monotonic. What it took: wall and CPU seconds, with those of the processes that it
    has waited for, and its peak memory in MiB, or that of the largest of them.
    """
    with open(log, "w") as words:
        started = time.monotonic()
        process = subprocess.Popen(command, stdout=words, stderr=words, env=environment(threads))
        _, status, usage = os.wait4(process.pid, 0)
        ended = time.monotonic()
    process.returncode = os.waitstatus_to_exitcode(status)  # or Popen would wait for it again
    taken = {
        "process_seconds": round(ended - started, 3),
        "process_cpu_seconds": round(usage.ru_utime + usage.ru_stime, 3),
        "peak_mib": round(usage.ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10), 1),
    }
    return process.returncode, started, taken


def last_line(log: Path) -> str:
    """The last that a process has said."""
    lines = log.read_text(errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")


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
    arguments = map(str, (features, labels, made, neighbors))
    scores = subprocess.run(
        [sys.executable, HERE / "score_run.py", *arguments], capture_output=True, text=True, env=environment(threads)
    )
    if scores.returncode:
        log.write_text(log.read_text() + scores.stderr)
        return {"note": f"its map could not be scored: {last_line(log)}"}
    return found | taken | json.loads(scores.stdout)


def measured(path: Path) -> Iterator[dict[str, str]]:
    """The rows of a table of runs, if there is one, that have been measured."""
    if path.exists():
        with open(path, newline="") as file:
            yield from (row for row in csv.DictReader(file) if not row["note"])


def write(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write a table of runs."""
    with whole(path) as part, open(part, "w", newline="") as file:
        table = csv.DictWriter(file, COLUMNS, restval="", lineterminator="\n")
        table.writeheader()
        table.writerows(rows)


def need(path: Path) -> Path:
    """The path of a file that the workflow has made; raises UserError if it has not."""
    if not path.exists():
        raise UserError(f"{path} is not there; make it first: snakemake --cores all {path}")
    return path


def compare(
    dataset: str, layers: Sequence[str], peers: Sequence[str], rounds: int, points: int, threads: int
) -> list[dict[str, Any]]:
    """Measure what is planned, a row a run (COLUMNS), in the order of the plan; `points` of the rows, 0 for all.

    Each row is kept in results/{dataset}/bench/ as it comes, until all are there; what an unfinished benchmark of as
    many points and threads has measured is not measured again. Raises UserError if features or labels are not there, or
    nobody has made a map.
    """
    made = Path("results", dataset)
    labels = need(made / "data/train_labels.npy")
    features = {layer: need(made / "features" / f"{layer}.npy") for layer in layers}
    folder = made / "bench"
    folder.mkdir(exist_ok=True)
    unfinished = folder / f"unfinished-{points or 'all'}-{threads}.csv"
    done = {(row["layer"], int(row["round"]), row["peer"]): row for row in measured(unfinished)}
    take_cores(threads)
    runs = plan(layers, peers, rounds)
    for number, (layer, turn, peer) in enumerate(runs, 1):
        row = done.get((layer, turn, peer))
        if row is None:
            facts = {"layer": layer, "peer": peer, "round": turn, "seed": SEED + turn, "threads": threads, **machine()}
            stem = folder / f"{layer}-{peer}-{turn}"
            row = facts | run(peer, features[layer], labels, stem, points, threads, SEED + turn)
            done[layer, turn, peer] = row
            write(unfinished, list(done.values()))
        said = row.get("note") or f"{float(row['seconds']):.1f} s, KL divergence {float(row['kl_divergence']):.4f}"
        print(f"{number} of {len(runs)}: {layer}, round {turn}, {PEERS[peer].name}: {said}", flush=True)
    rows = [done[key] for key in runs]
    if all(row.get("note") for row in rows):
        raise UserError(f"nobody has made a map; {folder}/*.log say why")
    unfinished.unlink(missing_ok=True)
    return rows


def arguments() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(
        description="Measure this workflow's t-SNE beside others'; writes docs/benchmark.*"
    )
    parser.add_argument("--dataset", default="MNIST", help="whose features, in results/")
    parser.add_argument("--layers", nargs="+", default=["pixel", "conv1", "dense3"])
    parser.add_argument("--peers", nargs="+", default=list(PEERS), choices=PEERS)
    parser.add_argument("--rounds", type=int, default=3, help="at the most; the slow peers run once")
    parser.add_argument("--points", type=int, default=0, help="so many of the first rows; 0: all")
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args()


if __name__ == "__main__":
    try:
        write(Path("docs/benchmark.csv"), compare(**vars(arguments())))
    except UserError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit("error: interrupted; the same command goes on from here")
    sys.exit(subprocess.run([sys.executable, HERE / "report.py"]).returncode)
