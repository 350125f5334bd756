"""Measure how this workflow's t-SNE scales with the number of images: `make growth`.

Each stage is a separate process (run_stage.py), which passes files to the next one.
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
class Stage:
    """One stage of the computation."""

    description: str
    max_points: float = float("inf")  # it is measured for no more images


STAGES = {
    "neighbors": Stage("`find_neighbors`: 90 neighbors of each image by its pixels, which are memory-mapped"),
    "affinities": Stage("`compute_affinities` and `make_start`, as in `embed_tsne`"),
    "optimization": Stage("`fit_opentsne`: 100 iterations with exaggeration, then 200 without"),
    "divergence": Stage(
        "`kl_divergence`: exact, by a sum over all pairs; part of `embed_tsne`, but not of the total",
        200_000,
    ),
    "quality": Stage("Scores of the embedding: 10,000 images among all; not part of the total"),
}
SEED = 1004
COLUMNS = (
    *("points", "dimensions", "stage", "seed", "threads"),
    *("seconds", "cpu_seconds"),  # of the stage
    *("process_seconds", "process_cpu_seconds", "peak_mib"),  # of its process, with the reading of its files
    *("recall", "plan", "kl_divergence", "knn_accuracy_map", "knn_preservation_10"),
    *("processor", "cores", "python", "versions", "note"),
)
HERE = Path(__file__).parent
IMAGES = Path("resources/deformed/images.npy")
FOLDER = Path("results/deformed/bench")
FEATURES = FOLDER / "features.npy"


def stage_command(*arguments: Any) -> list[str]:
    """Return the command that runs a stage."""
    return [sys.executable, *map(str, (HERE / "run_stage.py", *arguments))]


def flatten_images(count: int, threads: int) -> None:
    """Write the pixels of the images, one row each, to FEATURES; raises UserError if there are fewer than `count`."""
    require_file(IMAGES, f"PYTHONPATH=scripts python {HERE / 'deform.py'} {count}")
    command = stage_command("features", count)
    result = subprocess.run(command, capture_output=True, text=True, env=limit_threads(threads))
    if result.returncode:
        raise UserError(result.stderr.strip().splitlines()[-1])


def run(stage: str, points: int, threads: int) -> dict[str, Any]:
    """Run a stage on the first `points` images; return its measurements, or a `note` with the reason if it fails."""
    log, record = (FOLDER / f"{points}-{stage}.{suffix}" for suffix in ("log", "json"))
    record.unlink(missing_ok=True)
    status, _, usage = measure(stage_command(stage, points, threads, SEED), log, threads)
    if status or not record.exists():
        return {"note": f"failed with status {status}: {read_last_line(log)}"}
    return json.loads(record.read_text()) | usage


def measure_growth(numbers: Sequence[int], threads: int) -> list[dict[str, Any]]:
    """Return the measurements (COLUMNS) of each stage for each number of images; a failed stage ends its number.

    Until the benchmark is complete, measurements are stored in FOLDER; those of an interrupted benchmark with the same
    number of threads are not repeated. Raises UserError if there are too few images, or if no run succeeds.
    """
    FOLDER.mkdir(parents=True, exist_ok=True)
    flatten_images(max(numbers), threads)
    runs = Runs(FOLDER / f"unfinished-{threads}.csv", COLUMNS, ("points", "stage"))
    limit_cores(threads)
    for points in sorted(set(numbers)):
        for stage in (stage for stage in STAGES if points <= STAGES[stage].max_points):
            known = {"points": points, "stage": stage, "seed": SEED, "threads": threads, **machine()}
            row = runs.add(known, partial(run, stage, points, threads))
            result = row.get("note") or f"{float(row['seconds']):.1f} s, {float(row['peak_mib']):,.0f} MiB"
            print(f"{points:,} images, {stage}: {result}", flush=True)
            if row.get("note"):
                break
        else:
            for passed in FOLDER.glob(f"{points}-*.np[yz]"):  # from stage to stage
                passed.unlink()
    return runs.finish()


def parse_arguments() -> argparse.Namespace:
    """Return the arguments of the command line."""
    parser = argparse.ArgumentParser(
        description="Measure how this workflow's t-SNE scales with the number of images. Writes docs/growth.*"
    )
    numbers = [5_000, 10_000, 20_000, 50_000, 70_000, 200_000, 500_000, 1_000_000]
    parser.add_argument(
        "--points", nargs="+", type=int, default=numbers, help=f"numbers of images, the first ones of {IMAGES}"
    )
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args()


if __name__ == "__main__":
    try:
        arguments = parse_arguments()
        write_table(Path("docs/growth.csv"), COLUMNS, measure_growth(arguments.points, arguments.threads))
    except UserError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit("error: Interrupted. Run the same command again to continue.")
    sys.exit(subprocess.run([sys.executable, HERE / "report_growth.py"]).returncode)
