"""The workflow on a real Slurm, through the profiles. Slurm's records say what ran where, and what it requested."""

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

from common.names import SUFFIXES
from helpers import FIGURES, LAYERS, Workflow, edit, system_program

pytestmark = [pytest.mark.slow, pytest.mark.slurm]

PACKAGES = "slurmctld slurmd slurm-client munge"
SUBMITTED = {"train_network": 1, "predict_labels": 1, "extract_features": 3}
SUBMITTED |= {"measure_similarity": 1}  # all other jobs run here
SUBMITTED |= dict.fromkeys(("find_neighbors", "embed_tsne", "score_map", "score_features"), 4)
PROFILES = {
    # by default, the plugin asks a database for the state of a job, and waits forever if there is none
    "slurm": ["--slurm-status-command", "squeue", "--slurm-init-seconds-before-status-checks", "5"],
    "cluster-generic": [],
}


@pytest.fixture(scope="module")
def slurm(tmp_path_factory):
    """Start a cluster of two nodes."""
    for program in ("slurmctld", "slurmd", "sbatch", "munged"):
        system_program(program, PACKAGES)
    cluster = SlurmCluster(tmp_path_factory.mktemp("slurm"))
    yield cluster
    cluster.close()
    wait_for(lambda: cluster.processes() == [], 10)


def run(workflow: Workflow, slurm: SlurmCluster, profile: str, *arguments: str) -> subprocess.CompletedProcess:
    """Run Snakemake through a profile; it is interrupted after ten minutes, which cancels its jobs."""
    limit = ["timeout", "--signal=INT", "--kill-after=30", "600"]
    command = workflow.command("--workflow-profile", f"profiles/{profile}", *PROFILES[profile], *arguments)
    environment = os.environ | slurm.environment
    return subprocess.run([*limit, *command], cwd=workflow.folder, capture_output=True, text=True, env=environment)


def rule_of(record: dict[str, str]) -> str:
    """Return the rule of a Slurm job, which is the name of the job, or for the Slurm plugin in the comment."""
    return re.sub(r"^rule_|_wildcards.*", "", record["Comment"]) if "Comment" in record else record["JobName"]


def layer_of(record: dict[str, str]) -> str:
    """Return the layer of a job that the Slurm plugin submitted, whose comment has the wildcards."""
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
    assert Counter(map(rule_of, records)) == SUBMITTED
    assert {record["JobState"] for record in records} == {"COMPLETED"}
    assert {record["NodeList"] for record in records} == {"n1", "n2"}
    for record in records:
        requests_gpu = gpu and rule_of(record) in ("train_network", "embed_tsne")
        assert record.get("TresPerJob") == ("gres:gpu:1" if requests_gpu else None), record
        assert record["NumCPUs"] == ("2" if rule_of(record) == "train_network" else "1")
    if profile == "slurm":  # whose comments name the layer
        searches = [record for record in records if rule_of(record) == "find_neighbors"]
        requested = {layer_of(record): record["MinMemoryNode"] for record in searches}
        features = workflow.folder / "results/Small/features"
        for layer in LAYERS:
            files = [features / f"{layer}{suffix}.npy" for suffix in SUFFIXES]
            megabytes = sum(file.stat().st_size for file in files) / 1e6
            rows = sum(len(np.load(file, mmap_mode="r")) for file in files)
            assert requested[layer] == f"{int(800 + 0.004 * rows + 2.6 * megabytes)}M"


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


def test_networks_of_a_comparison_are_trained_side_by_side(workflow, slurm):
    units = {"Narrow": 16, "Wide": 32}
    workflow.configure(
        datasets={name: {"like": "Small", "network": {"units": [count]}} for name, count in units.items()},
        comparisons={"Networks": ["Small", *units]},
    )
    before = len(slurm.records())
    result = run(workflow, slurm, "slurm", "--", *(f"results/{name}/network/network.keras" for name in units))
    assert result.returncode == 0, result.stdout + result.stderr
    one, other = (record for record in slurm.records()[before:] if rule_of(record) == "train_network")
    assert {one["NodeList"], other["NodeList"]} == {"n1", "n2"}
    assert one["StartTime"] < other["EndTime"] and other["StartTime"] < one["EndTime"]


def delay(workflow: Workflow, script: str, seconds: int, layer: str) -> None:
    """Let a script wait before it does its work for a layer."""
    wait = f'    if snakemake.wildcards.layer == "{layer}":\n        time.sleep({seconds})\n'
    start = 'if __name__ == "__main__":\n'
    edit(workflow.folder / f"scripts/{script}.py", start, start + wait)


@contextmanager
def submit(workflow: Workflow, slurm: SlurmCluster, *arguments: str) -> Iterator[subprocess.Popen]:
    """Start Snakemake through the Slurm profile, and yield it when a job is running."""
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
    """Wait until a condition holds; fail if it takes longer."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition does not hold in time"
        time.sleep(0.2)


def states(records: list[dict[str, str]], rule: str) -> list[str]:
    """Return the states of the jobs of a rule."""
    return [record["JobState"] for record in records if rule_of(record) == rule]


def test_job_killed_for_memory_or_time_runs_again_with_more(workflow, slurm):
    rules = workflow.folder / "rules/maps.smk"
    edit(rules, 'mem_mb=request(800, per_row=0.004, features=(2.6, config["memory_mb"]))', "mem_mb=request(150)")
    edit(rules, "runtime=request(5, neighbors=0.1)", "runtime=request(1)")
    delay(workflow, "embed_tsne", 65, layer="pixel")
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
    requested = [record["MinMemoryNode"] for record in records if rule_of(record) == "find_neighbors"]
    assert requested == ["150M", "300M", "600M"][: len(requested)]


def test_preempted_training_is_resumed(workflow, slurm):
    workflow.configure(network={"schedule": [{"epochs": 12, "batch_size": 16}]})
    log = workflow.folder / "logs/train_network/Small.log"
    log.unlink()
    before = len(slurm.records())
    with submit(workflow, slurm, "--", "results/Small/network/network.keras") as snakemake:
        wait_for(lambda: log.exists() and "epoch 2:" in log.read_text())
        slurm.command("scancel", slurm.queue()[0])
        assert snakemake.wait(240) == 0, (workflow.folder / "snakemake.log").read_text()
    assert states(slurm.records()[before:], "train_network") == ["CANCELLED", "COMPLETED"]
    resumed = re.search(r"resumed after epoch (\d+)", log.read_text())
    assert resumed and 2 <= int(resumed[1]) < 12, log.read_text()
    assert list(pd.read_csv(workflow.folder / "results/Small/network/history.csv").epoch) == list(range(1, 13))


def test_ctrl_c_cancels_submitted_jobs(workflow, slurm):
    delay(workflow, "embed_tsne", 600, layer="pixel")
    (workflow.folder / "results/Small/maps/pixel.npy").unlink()
    before = len(slurm.records())
    with submit(workflow, slurm, "--", "results/Small/maps/pixel.npy") as snakemake:
        snakemake.send_signal(signal.SIGINT)
        assert snakemake.wait(60) != 0
    wait_for(lambda: slurm.queue() == [])
    assert states(slurm.records()[before:], "embed_tsne") == ["CANCELLED"]
    assert not (workflow.folder / "results/Small/maps/pixel.npy").exists()
    assert workflow.plan("results/Small/maps/pixel.npy") == {"embed_tsne": 1}, "no lock is left"


def test_snakemake_started_again_after_a_kill_runs_only_unfinished_jobs(workflow, slurm):
    delay(workflow, "embed_tsne", 40, layer="conv1")  # the edited script makes the embedding of the pixels stale, too
    targets = [f"results/Small/maps/{layer}.npy" for layer in ("conv2", "conv1")]
    for target in targets:
        (workflow.folder / target).unlink()
    before = len(slurm.records())
    with submit(workflow, slurm, "--", *targets) as snakemake:
        wait_for(lambda: "2 of 3 steps (67%) done" in (workflow.folder / "snakemake.log").read_text())
        snakemake.kill()
        snakemake.wait()
    assert sorted(states(slurm.records()[before:], "embed_tsne")) == ["COMPLETED", "COMPLETED", "RUNNING"]
    assert workflow.run("--unlock").returncode == 0
    result = run(workflow, slurm, "slurm", "--", *targets)
    assert result.returncode == 0, result.stdout + result.stderr
    wait_for(lambda: slurm.queue() == [])
    records = slurm.records()[before:]
    assert Counter(map(layer_of, records)) == {"pixel": 1, "conv2": 1, "conv1": 2}
    assert np.load(workflow.folder / targets[1]).shape == (1297, 2)
    assert not list(workflow.folder.glob("results/Small/maps/.part-*"))
