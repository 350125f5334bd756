"""Measure how this workflow's t-SNE grows with the number of images: `make growth`.

Each stage is a process of its own (run_stage.py), and hands over to the next by files.
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

from measuring import Runs, environment, last_line, machine, measure, need, take_cores, write

from common.errors import UserError


@dataclass(frozen=True)
class Stage:
    """A part of the work: what it does, in a few words, and up to how many images it is measured."""

    does: str
    most: float = float("inf")


STAGES = {
    "neighbors": Stage("`find_neighbors`: 90 neighbors of each image by its pixels, which are memory-mapped"),
    "affinities": Stage("`affinities` and `start_layout` of `embed_tsne`"),
    "optimization": Stage("`fit_opentsne`: 250 iterations with exaggeration, then 500 without"),
    "divergence": Stage(
        "`kl_divergence`: exact, by a sum over all pairs; part of `embed_tsne`, but not of the total",
        200_000,
    ),
}
SEED = 1004
COLUMNS = (
    *("points", "dimensions", "stage", "seed", "threads"),
    *("seconds", "cpu_seconds"),  # of the stage
    *("process_seconds", "process_cpu_seconds", "peak_mib"),  # of its process, which reads what it needs before
    *("recall", "plan", "kl_divergence"),
    *("processor", "cores", "python", "versions", "note"),
)
HERE = Path(__file__).parent
IMAGES = Path("resources/deformed/images.npy")
FOLDER = Path("results/deformed/bench")
FEATURES = FOLDER / "features.npy"


def run_stage(*arguments: Any) -> list[str]:
    """The command that runs a stage."""
    return [sys.executable, *map(str, (HERE / "run_stage.py", *arguments))]


def flatten(most: int, threads: int) -> None:
    """Write the images' pixels, a row each, to FEATURES; raises UserError if there are not so many images."""
    need(IMAGES, f"PYTHONPATH=scripts python {HERE / 'deform.py'} {most}")
    command = run_stage("features", most)
    result = subprocess.run(command, capture_output=True, text=True, env=environment(threads))
    if result.returncode:
        raise UserError(result.stderr.strip().splitlines()[-1])


def run(stage: str, points: int, threads: int) -> dict[str, Any]:
    """One measured stage of so many images; where it fails, the only result is a `note` that says so."""
    log, facts = (FOLDER / f"{points}-{stage}.{suffix}" for suffix in ("log", "json"))
    facts.unlink(missing_ok=True)
    status, _, taken = measure(run_stage(stage, points, threads, SEED), log, threads)
    if status or not facts.exists():
        return {"note": f"failed with status {status}: {last_line(log)}"}
    return json.loads(facts.read_text()) | taken


def grow(numbers: Sequence[int], threads: int) -> list[dict[str, Any]]:
    """Measure each stage with each number of images, a row each (COLUMNS); of a stage that fails, none that follows.

    Each row is kept in FOLDER as it comes, until all are there; what an unfinished benchmark of as many threads has
    measured is not measured again. Raises UserError if there are not so many images, or nothing could be measured.
    """
    FOLDER.mkdir(parents=True, exist_ok=True)
    flatten(max(numbers), threads)
    runs = Runs(FOLDER / f"unfinished-{threads}.csv", COLUMNS, ("points", "stage"))
    take_cores(threads)
    for points in sorted(set(numbers)):
        for stage in (stage for stage in STAGES if points <= STAGES[stage].most):
            facts = {"points": points, "stage": stage, "seed": SEED, "threads": threads, **machine()}
            row = runs.row(facts, partial(run, stage, points, threads))
            said = row.get("note") or f"{float(row['seconds']):.1f} s, {float(row['peak_mib']):,.0f} MiB"
            print(f"{points:,} images, {stage}: {said}", flush=True)
            if row.get("note"):
                break
        else:
            for left in FOLDER.glob(f"{points}-*.np[yz]"):  # what the stages have handed over
                left.unlink()
    return runs.finish()


def arguments() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(
        description="Measure how this workflow's t-SNE grows with the number of images; writes docs/growth.*"
    )
    numbers = [5_000, 10_000, 20_000, 50_000, 70_000, 200_000, 500_000, 1_000_000]
    parser.add_argument("--points", nargs="+", type=int, default=numbers, help=f"so many of the first of {IMAGES}")
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args()


if __name__ == "__main__":
    try:
        asked = arguments()
        write(Path("docs/growth.csv"), COLUMNS, grow(asked.points, asked.threads))
    except UserError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit("error: interrupted; the same command goes on from here")
    sys.exit(subprocess.run([sys.executable, HERE / "report_growth.py"]).returncode)
