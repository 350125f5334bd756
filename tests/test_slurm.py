"""The workflow on a real Slurm, through the profiles. What ran where, with which request, is read from Slurm's own records."""

import re
from collections import Counter

import pytest

from helpers import FIGURES, Workflow, system_program
from slurm_cluster import SlurmCluster

PACKAGES = "slurmctld slurmd slurm-client munge"
SENT = {"train_network": 1, "extract_features": 3, "find_neighbors": 4, "embed_tsne": 4}  # all else runs here
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


def rule_of(record: dict[str, str]) -> str:
    """The rule of a job of Slurm's: cluster-generic gives its name to the job, the plugin for Slurm to the comment."""
    return re.sub(r"^rule_|_wildcards.*", "", record["Comment"]) if "Comment" in record else record["JobName"]


@pytest.mark.parametrize(("profile", "gpu"), [("slurm", True), ("cluster-generic", False)])
def test_whole_workflow_through_the_profile(fresh, tmp_path, slurm, profile, gpu):
    workflow = fresh.copy(tmp_path / "workflow")
    workflow.configure(gpu=gpu)
    before = len(slurm.records())
    result = workflow.run("--workflow-profile", f"profiles/{profile}", *PROFILES[profile], **slurm.environment)
    assert result.returncode == 0, result.stdout + result.stderr
    figures = {path.name for path in (workflow.folder / "results/figures").iterdir()}
    assert figures == {f"{name}.{suffix}" for name in FIGURES for suffix in ("eps", "png")}
    assert slurm.queue() == []

    records = slurm.records()[before:]
    assert Counter(map(rule_of, records)) == SENT
    assert {record["JobState"] for record in records} == {"COMPLETED"}
    assert {record["NodeList"] for record in records} == {"n1", "n2"}
    for record in records:
        asks_for_gpu = gpu and rule_of(record) in ("train_network", "embed_tsne")
        assert record.get("TresPerJob") == ("gres:gpu:1" if asks_for_gpu else None), record
        assert record["NumCPUs"] == ("2" if rule_of(record) == "train_network" else "1")
