"""Helpers of the tests beside fixtures: the workflow in a folder of its own, and the names of its files."""

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
WORKFLOW = ("Snakefile", "rules", "scripts", "config", "envs", "profiles", "report", "CITATION.cff")
LAYERS = ("pixel", "conv1", "conv2", "dense3")
FIGURES = {f"Small_tSNE_{layer}{kind}" for layer in LAYERS for kind in ("", "_embed")}
OTHERS = ("conv1_filters", "tSNE_layers", "scores", "splits", "similarity", "prediction_depth", "training", "flow")
FIGURES |= {f"Small_{name}" for name in (*OTHERS, "flow_images")}
TARGETS = ("all", "scatters", "thumbnails", "filters", "comparisons", "Small", "Digits")


def system_program(name: str, package: str) -> str:
    """Return the path of a program that pip cannot install. Without it, a test is skipped; in CI it fails."""
    path = shutil.which(name)
    if path is None:
        message = f"{name} is missing. Install it: apt-get install {package}"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    return path


def only_error(result: subprocess.CompletedProcess) -> str:
    """Return the line in which a job says why it failed, which must be the last that a user sees."""
    assert result.returncode != 0
    *_, last = result.stderr.rstrip().splitlines()
    assert {line for line in result.stderr.splitlines() if ": error: " in line} == {last}, result.stderr
    return last.split(": error: ")[1]


def edit(path: Path, old: str, new: str) -> None:
    """Replace `old` in a file; fails if it is not there."""
    text = path.read_text()
    assert old in text, f"{path} has no {old!r}"
    path.write_text(text.replace(old, new))


class Workflow:
    """A copy of the workflow in a folder of its own, configured for the small data set."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def copy(self, folder: Path) -> "Workflow":
        """Return a copy in another folder, to change."""
        shutil.copytree(self.folder, folder)
        return Workflow(folder)

    def command(self, *arguments: str) -> list[str]:
        """Return the command that runs Snakemake, on this machine unless the arguments name a profile."""
        cores = [] if "--workflow-profile" in arguments else ["--cores", "2"]
        return [sys.executable, "-m", "snakemake", *cores, "--configfile", "digits.yaml", *arguments]

    def run(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess:
        """Run Snakemake with these arguments and environment variables."""
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        environment |= variables
        command = self.command(*arguments)
        return subprocess.run(command, cwd=self.folder, capture_output=True, text=True, env=environment)

    def plan(self, *targets: str) -> Counter[str]:
        """Return how many jobs of each rule a dry run plans, without target rules."""
        result = self.run("--dry-run", "--", *targets)
        assert result.returncode == 0, result.stdout + result.stderr
        if "Nothing to be done" in result.stdout + result.stderr:
            return Counter()
        table = re.search(r"^job +count\n[- ]+\n(.*?)^total", result.stdout + result.stderr, re.M | re.S)
        jobs = Counter({name: int(count) for name, count in (line.split() for line in table[1].splitlines())})
        return jobs - Counter(dict.fromkeys(TARGETS, 1))

    def scatter(self, jobs: int) -> None:
        """Let this many jobs share the rows of a data set with landmarks, as a profile can."""
        path = self.folder / "profiles/default/config.yaml"
        path.write_text(f"{path.read_text()}\nset-scatter: rows={jobs}\n")

    def configure(self, **changes) -> None:
        """Change keys of the configuration: configure(tsne={"perplexity": 20})."""
        path = self.folder / "digits.yaml"
        config = yaml.safe_load(path.read_text())
        for section, values in changes.items():
            if isinstance(values, dict):
                config.setdefault(section, {}).update(values)
            else:
                config[section] = values
        path.write_text(yaml.safe_dump(config))
