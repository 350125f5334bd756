"""Compare the time of the complete run on MNIST with and without the control, and with an earlier commit.

PYTHONPATH=scripts .venv/bin/python bench/whole_run.py resources/mnist.pkl.gz --commit 28f93c0

It writes docs/whole_run.csv.

Every run is of a fresh clone of what is committed. The variants take turns; nothing else should run on the machine.
"""

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd
from measuring import rotate

from common.files import atomic_write

ROOT = Path(__file__).parents[1]
OUTPUT = ROOT / "docs/whole_run.csv"
WITHOUT_CONTROL = "network: {checkpoints: []}\n"


def list_variants(commit: str | None) -> dict[str, tuple[str, str]]:
    """Return the commit and the additional configuration of each variant, by its name."""
    variants = {"with control": ("HEAD", ""), "without control": ("HEAD", WITHOUT_CONTROL)}
    return variants | ({commit: (commit, "")} if commit else {})


def measure_run(commit: str, configuration: str, pickle: Path, cores: int) -> dict[str, float]:
    """Make all results of MNIST in a fresh clone; return wall-clock and CPU seconds.

    Raises CalledProcessError if the run fails.
    """
    with tempfile.TemporaryDirectory() as name:
        clone = Path(name) / "clone"
        subprocess.run(["git", "clone", "--quiet", ROOT, clone], check=True)
        subprocess.run(["git", "-C", clone, "checkout", "--quiet", commit], check=True)
        (clone / "resources").mkdir()
        shutil.copyfile(pickle, clone / "resources/mnist.pkl.gz")
        (clone / "variant.yaml").write_text(configuration or "{}\n")
        command = [sys.executable, "-m", "snakemake", "--cores", f"{cores}", "--configfile", "variant.yaml"]
        before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        subprocess.run([*command, "--quiet", "all", "--", "all"], cwd=clone, check=True)
        after, ended = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"seconds": round(ended - started, 1), "cpu_seconds": round(cpu, 1)}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pickle", type=Path, help="the file of MNIST that a run downloads")
    parser.add_argument("--commit", help="an earlier commit to compare with")
    parser.add_argument("--runs", type=int, default=3, help="of each variant")
    parser.add_argument("--cores", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    variants = list_variants(arguments.commit)
    rows = []
    for run, name in rotate(list(variants), arguments.runs):
        rows.append({"variant": name, "run": run} | measure_run(*variants[name], arguments.pickle, arguments.cores))
        print(rows[-1], flush=True)
    table = pd.DataFrame(rows)
    with atomic_write(OUTPUT) as part:
        table.to_csv(part, index=False)
    print(table.groupby("variant", sort=False)[["seconds", "cpu_seconds"]].median().to_string())
