"""The workflow on a real Slurm, through the profiles. What ran where, asking for what, is in its records."""

import os
import re
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import pandas as pd
import pytest
from slurm_cluster import SlurmCluster

from helpers import FIGURES, LAYERS, Workflow, system_program

PACKAGES = "slurmctld slurmd slurm-client munge"
SENT = {"train_network": 1, "predict_labels": 1, "extract_features": 3}  # all else runs here
SENT |= dict.fromkeys(("find_neighbors", "embed_tsne", "transform_images", "score_map"), 4)
PROFILES = {
    # the plugin asks a database for the state of a job, if nobody tells it that there is none, and then waits for ever
    "slurm": ["--slurm-status-command", "squeue", "--slurm-init-seconds-before-status-checks", "5"],
    "cluster-generic": [],
}


@pytest.fixture(scope="module")
def slurm(tmp_path_factory):
    """A cluster of two nodes."""
    for program in ("slurmctld", "slurmd", "sbatch", "munged"):
        system_program(program, PACKAGES)
    cluster = SlurmCluster(tmp_path_factory.mktemp("slurm"))
    yield cluster
    cluster.close()
    wait_for(lambda: cluster.processes() == [], 10)


def run(workflow: Workflow, slurm: SlurmCluster, profile: str, *arguments: str) -> subprocess.CompletedProcess:
    """Run Snakemake through a profile, and interrupt it after ten minutes, which cancels its jobs; a kill would not."""
    limit = ["timeout", "--signal=INT", "--kill-after=30", "600"]
    command = workflow.command("--workflow-profile", f"profiles/{profile}", *PROFILES[profile], *arguments)
    environment = os.environ | slurm.environment
    return subprocess.run([*limit, *command], cwd=workflow.folder, capture_output=True, text=True, env=environment)


def rule_of(record: dict[str, str]) -> str:
    """The rule of a job of Slurm's: cluster-generic gives its name to the job, the plugin for Slurm to the comment."""
    return re.sub(r"^rule_|_wildcards.*", "", record["Comment"]) if "Comment" in record else record["JobName"]


def layer_of(record: dict[str, str]) -> str:
    """The layer of a job that the plugin for Slurm has submitted, which names the wildcards in the comment."""
    return next(part for part in record["Comment"].split("_") if part in LAYERS)


@pytest.mark.parametrize(("profile", "gpu"), [("slurm", True), ("cluster-generic", False)])
def test_whole_workflow_through_the_profile(fresh, tmp_path, slurm, profile, gpu):
    workflow = fresh.copy(tmp_path / "workflow")
    workflow.configure(gpu=gpu)
    before = len(slurm.records())
    result = run(workflow, slurm, profile)
    assert result.returncode == 0, result.stdout + result.stderr
    figures = {path.name for path in (workflow.folder / "results/figures").iterdir()}
    assert figures == {f"{name}.{suffix}" for name in FIGURES for suffix in ("eps", "png")}
    assert slurm.queue() == []
    assert workflow.run("--report", "report.html").returncode == 0
    assert "Small" in (workflow.folder / "report.html").read_text()

    records = slurm.records()[before:]
    assert Counter(map(rule_of, records)) == SENT
    assert {record["JobState"] for record in records} == {"COMPLETED"}
    assert {record["NodeList"] for record in records} == {"n1", "n2"}
    for record in records:
        asks_for_gpu = gpu and rule_of(record) in ("train_network", "embed_tsne")
        assert record.get("TresPerJob") == ("gres:gpu:1" if asks_for_gpu else None), record
        assert record["NumCPUs"] == ("2" if rule_of(record) == "train_network" else "1")
    if profile == "slurm":  # whose comments name the layer
        searches = [record for record in records if rule_of(record) == "find_neighbors"]
        asked = {layer_of(record): record["MinMemoryNode"] for record in searches}
        features = workflow.folder / "results/Small/features"
        sizes = {layer: (features / f"{layer}.npy").stat().st_size / 1e6 for layer in LAYERS}
        assert asked == {layer: f"{int(800 + 2.6 * size)}M" for layer, size in sizes.items()}


def test_rows_are_placed_among_landmarks_by_jobs_on_both_nodes(workflow, slurm):
    workflow.configure(tsne={"landmarks": 500})
    before, target = len(slurm.records()), "results/Small/maps/pixel.npy"
    result = run(workflow, slurm, "slurm", "--set-scatter", "rows=4", "--", target)
    assert result.returncode == 0, result.stdout + result.stderr
    records = slurm.records()[before:]
    once = ("choose_landmarks", "find_landmark_neighbors", "embed_landmarks", "gather_neighbors")
    scattered = ("find_nearest_landmarks", "transform_rows")
    assert Counter(map(rule_of, records)) == dict.fromkeys(once, 1) | dict.fromkeys(scattered, 4)
    assert {record["JobState"] for record in records} == {"COMPLETED"}
    assert {record["NodeList"] for record in records if rule_of(record) in scattered} == {"n1", "n2"}
    assert np.load(workflow.folder / target).shape == (1297, 2)


def edit(workflow: Workflow, path: str, old: str, new: str) -> None:
    """Change a file of the workflow."""
    text = (workflow.folder / path).read_text()
    assert old in text
    (workflow.folder / path).write_text(text.replace(old, new))


def delayed(workflow: Workflow, script: str, seconds: int, layer: str) -> None:
    """Let a script wait for so long before it does its work for a layer."""
    wait = f'    if snakemake.wildcards.layer == "{layer}":\n        time.sleep({seconds})\n'
    start = 'if __name__ == "__main__":\n'
    edit(workflow, f"scripts/{script}.py", start, start + wait)


@contextmanager
def submitted(workflow: Workflow, slurm: SlurmCluster, *arguments: str) -> Iterator[subprocess.Popen]:
    """A Snakemake that runs through the profile for Slurm, and has a job running there."""
    before = len(slurm.records())
    command = workflow.command("--workflow-profile", "profiles/slurm", *PROFILES["slurm"], *arguments)
    environment = os.environ | slurm.environment
    with open(workflow.folder / "snakemake.log", "w") as log:
        process = subprocess.Popen(command, cwd=workflow.folder, env=environment, stdout=log, stderr=log)
    try:
        wait_for(lambda: [record for record in slurm.records()[before:] if record["JobState"] == "RUNNING"])
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait(60)


def wait_for(condition: Callable[[], object], seconds: float = 120) -> None:
    """Wait until a condition holds; fails if it does not come to."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited for too long"
        time.sleep(0.2)


def states(records: list[dict[str, str]], rule: str) -> list[str]:
    return [record["JobState"] for record in records if rule_of(record) == rule]


def test_job_killed_for_its_memory_or_its_time_comes_back_with_more(workflow, slurm):
    edit(workflow, "rules/maps.smk", 'mem_mb=by_size(800, most=config["memory"], features=2.6)', "mem_mb=by_size(150)")
    edit(workflow, "rules/maps.smk", "runtime=by_size(5, neighbors=0.1)", "runtime=by_size(1)")
    delayed(workflow, "embed_tsne", 65, layer="pixel")
    (workflow.folder / "results/Small/neighbors/conv1.npz").unlink()
    (workflow.folder / "results/Small/maps/pixel.npy").unlink()
    before = len(slurm.records())
    targets = ["results/Small/neighbors/conv1.npz", "results/Small/maps/pixel.npy"]
    result = run(workflow, slurm, "slurm", "--", *targets)
    assert result.returncode == 0, result.stdout + result.stderr
    records = slurm.records()[before:]
    assert states(records, "embed_tsne") == ["TIMEOUT", "COMPLETED"]
    assert [record["TimeLimit"] for record in records if rule_of(record) == "embed_tsne"] == ["00:01:00", "00:02:00"]
    *killed, last = states(records, "find_neighbors")
    assert killed and "COMPLETED" not in killed and last == "COMPLETED"
    asked = [record["MinMemoryNode"] for record in records if rule_of(record) == "find_neighbors"]
    assert asked == ["150M", "300M", "600M"][: len(asked)]


def test_preempted_training_is_noticed_and_resumed(workflow, slurm):
    workflow.configure(network={"schedule": [{"epochs": 12, "batch_size": 16}]})
    log = workflow.folder / "logs/train_network/Small.log"
    log.unlink()
    before = len(slurm.records())
    with submitted(workflow, slurm, "--", "results/Small/network/network.keras") as snakemake:
        wait_for(lambda: log.exists() and "epoch 2:" in log.read_text())
        slurm.command("scancel", slurm.queue()[0])
        assert snakemake.wait(240) == 0, (workflow.folder / "snakemake.log").read_text()
    assert states(slurm.records()[before:], "train_network") == ["CANCELLED", "COMPLETED"]
    resumed = re.search(r"resumed after epoch (\d+)", log.read_text())
    assert resumed and 2 <= int(resumed[1]) < 12, log.read_text()
    assert list(pd.read_csv(workflow.folder / "results/Small/network/history.csv").epoch) == list(range(1, 13))


def test_ctrl_c_cancels_what_was_submitted(workflow, slurm):
    delayed(workflow, "embed_tsne", 600, layer="pixel")
    (workflow.folder / "results/Small/maps/pixel.npy").unlink()
    before = len(slurm.records())
    with submitted(workflow, slurm, "--", "results/Small/maps/pixel.npy") as snakemake:
        snakemake.send_signal(signal.SIGINT)
        assert snakemake.wait(60) != 0
    wait_for(lambda: slurm.queue() == [])
    assert states(slurm.records()[before:], "embed_tsne") == ["CANCELLED"]
    assert not (workflow.folder / "results/Small/maps/pixel.npy").exists()
    assert workflow.plan("results/Small/maps/pixel.npy") == {"embed_tsne": 1}, "no lock is left"


def test_killed_snakemake_is_started_again_and_does_only_what_is_left(workflow, slurm):
    delayed(workflow, "embed_tsne", 30, layer="conv1")
    for layer in ("pixel", "conv1"):
        (workflow.folder / f"results/Small/maps/{layer}.npy").unlink()
    targets = [f"results/Small/maps/{layer}.npy" for layer in ("pixel", "conv1")]
    before = len(slurm.records())
    with submitted(workflow, slurm, "--", *targets) as snakemake:
        wait_for(lambda: "1 of 2 steps (50%) done" in (workflow.folder / "snakemake.log").read_text())
        snakemake.kill()
        snakemake.wait()
    assert sorted(states(slurm.records()[before:], "embed_tsne")) == ["COMPLETED", "RUNNING"]
    assert workflow.run("--unlock").returncode == 0
    result = run(workflow, slurm, "slurm", "--", *targets)
    assert result.returncode == 0, result.stdout + result.stderr
    wait_for(lambda: slurm.queue() == [])
    records = slurm.records()[before:]
    assert Counter(map(layer_of, records)) == {"pixel": 1, "conv1": 2}
    assert np.load(workflow.folder / targets[1]).shape == (1297, 2)
    assert not list(workflow.folder.glob("results/Small/maps/.part-*"))
