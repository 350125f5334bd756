"""The comparison of implementations, in a short form on scikit-learn's digits. No time is judged."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from compare import OWN_SCHEDULE, PEERS, merge, plan_runs, require_output
from openTSNE.affinity import PerplexityBasedNN
from scipy.spatial.distance import cdist
from sklearn.datasets import load_digits

from common.errors import UserError
from helpers import ROOT

POINTS = 300
MISSING = "bh_sne"
HAS_INTEL = sys.platform == "linux" and platform.machine() == "x86_64"
TESTED = [  # those with our neighbors are tested in test_peers.py
    peer for peer in PEERS if not peer.endswith("_ours") and (HAS_INTEL or peer not in ("sklearnex", "h2pack"))
]


class Bench:
    """A folder with the features of the digits as the workflow writes them, where the benchmark can be run."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.results = folder, folder / "results/Digits"
        digits = load_digits()
        for name, array in ("features/pixel", digits.data.astype(np.float32)), ("data/train_labels", digits.target):
            path = self.results / f"{name}.npy"
            path.parent.mkdir(parents=True)
            np.save(path, array)
        (folder / "docs").mkdir()
        (folder / "tsne.py").write_text("raise ImportError('no bh_sne on this machine')")

    def run(self, *arguments: str) -> subprocess.CompletedProcess:
        """Run it on one thread, where bh_sne cannot be imported."""
        command = [sys.executable, ROOT / "bench/compare.py", "--dataset", "Digits", "--threads", "1", *arguments]
        environment = os.environ | {"PYTHONPATH": f"{ROOT / 'scripts'}{os.pathsep}{self.folder}"}
        return subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True)

    @property
    def table(self) -> pd.DataFrame:
        """The measurements."""
        return pd.read_csv(self.folder / "docs/benchmark.csv")


@pytest.fixture(scope="module")
def bench(tmp_path_factory) -> Bench:
    """A benchmark of the peers, one of them missing, in one round."""
    bench = Bench(tmp_path_factory.mktemp("bench"))
    result = bench.run("--layers", "pixel", "--points", f"{POINTS}", "--rounds", "1", "--peers", *TESTED)
    assert result.returncode == 0, result.stderr
    return bench


def test_peers_take_turns_slow_ones_run_once_and_other_numbers_of_iterations_in_the_first_round():
    assert plan_runs(["pixel", "conv1"], ["ours", "openTSNE", "bh_sne"], 2) == [
        ("pixel", 1, "ours", 300),
        ("pixel", 1, "ours", 200),
        ("pixel", 1, "ours", 250),
        ("pixel", 1, "ours", 500),
        ("pixel", 1, "ours", 1000),
        ("pixel", 1, "openTSNE", 750),
        ("pixel", 1, "bh_sne", 1000),
        ("pixel", 2, "openTSNE", 750),
        ("pixel", 2, "ours", 300),
        ("conv1", 1, "ours", 300),
        ("conv1", 1, "ours", 200),
        ("conv1", 1, "ours", 250),
        ("conv1", 1, "ours", 500),
        ("conv1", 1, "ours", 1000),
        ("conv1", 1, "openTSNE", 750),
        ("conv1", 2, "openTSNE", 750),
        ("conv1", 2, "ours", 300),
    ]


def test_measured_runs_replace_those_of_the_same_section_and_peer():
    keys = ("dataset", "layer", "threads", "peer", "round")
    runs = ("A pixel 2 ours 1", "A pixel 2 ours 2", "A pixel 2 bh_sne 1", "A pixel 1 ours 1", "B pixel 2 ours 1")
    stored = [dict(zip(keys, run.split(), strict=True)) for run in runs]
    measured = [{"dataset": "A", "layer": "pixel", "threads": 2, "peer": "ours", "round": 1, "seconds": 3.5}]
    assert merge(stored, measured) == [*stored[2:], *measured]
    assert merge([], measured) == measured


def test_default_number_of_iterations_is_that_of_the_configuration():
    tsne = yaml.safe_load((ROOT / "config/config.yaml").read_text())["tsne"]
    assert PEERS["ours"].iterations[0] == tsne["exaggerated_iterations"] + tsne["iterations"]
    assert min(PEERS["ours"].iterations) > tsne["exaggerated_iterations"]
    assert OWN_SCHEDULE.startswith(f"{tsne['exaggerated_iterations']} iterations with exaggeration")


def test_missing_output_of_the_workflow_is_named_with_its_command(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = Path("conv9.npy")
    with pytest.raises(UserError, match=r"^conv9\.npy does not exist\. Run this command first: snakemake --cores all "):
        require_output(path)
    path.touch()
    assert require_output(path) == path


@pytest.mark.slow
def test_every_planned_run_has_its_row(bench):
    table = bench.table
    runs = list(zip(table.layer, table["round"], table.peer, table.iterations, strict=True))
    assert runs == plan_runs(["pixel"], TESTED, 1)
    assert (table.dataset == "Digits").all() and (table.threads == 1).all()
    measured = table[table.peer != MISSING]
    assert measured.note.isna().all(), measured.note.dropna().tolist()
    assert measured.drop(columns="note").notna().all(axis=None)
    times = ["prepare_seconds", "optimize_seconds", "cpu_seconds", "start_seconds", "peak_mib"]
    assert (measured[times] > 0).all(axis=None)
    assert np.allclose(measured.prepare_seconds + measured.optimize_seconds, measured.seconds, atol=0.002)
    compiled = measured.set_index("peer").compile_seconds
    assert (compiled[["sklearn", "openTSNE"]] == 0).all() and compiled["ours_compiled"] > 1
    assert (measured.compile_seconds < measured.seconds).all()
    assert (measured.start_seconds + measured.seconds <= measured.process_seconds).all()
    assert (measured.cpu_seconds <= measured.process_cpu_seconds).all()
    assert (measured.points == POINTS).all() and (measured.dimensions == 64).all()


@pytest.mark.slow
def test_scores_are_those_of_the_stored_embeddings(bench):
    """Against the definitions, with all pairs, and with openTSNE's affinities by its own exact search."""
    features, labels = (
        np.load(bench.results / f"{name}.npy")[:POINTS] for name in ("features/pixel", "data/train_labels")
    )
    p = PerplexityBasedNN(features.astype(np.float64), perplexity=30, method="exact").P.toarray()
    itself = np.where(np.eye(POINTS, dtype=bool), np.inf, 0)
    in_features = cdist(features, features) + itself
    tenth = np.sort(in_features, axis=1)[:, 9:10]  # which several rows can share, since the features are integers
    for row in bench.table[bench.table.peer != MISSING].itertuples():
        coordinates = np.load(bench.results / f"bench/pixel-{row.peer}-{row.iterations}-{row.round}.npy")
        assert coordinates.shape == (POINTS, 2) and coordinates.dtype == np.float32
        distances = cdist(coordinates, coordinates) + itself
        q = 1 / (1 + distances**2)
        q /= q.sum()
        assert row.kl_divergence == pytest.approx((p[p > 0] * np.log(p[p > 0] / q[p > 0])).sum(), abs=1e-4)
        nearest = np.argsort(distances, axis=1)[:, :10]
        preserved = np.take_along_axis(in_features, nearest, axis=1)
        assert (preserved < tenth).mean() <= row.knn_preservation_10 <= (preserved <= tenth).mean()
        counts = (labels[nearest][:, :, None] == labels[nearest][:, None]).sum(axis=2)
        votes = labels[nearest[np.arange(POINTS), counts.argmax(axis=1)]]  # in a tie, the nearest of the most frequent
        assert row.knn_accuracy_map == pytest.approx((votes == labels).mean(), abs=0.004)


@pytest.mark.slow
def test_peer_that_is_not_installed_is_named_and_the_others_are_measured(bench):
    table = bench.table
    (note,) = table[table.peer == MISSING].note
    assert note.startswith("not installed (no bh_sne on this machine); make bench") and "\n" not in note
    assert note in (bench.folder / "docs/benchmark.md").read_text()
    assert table.seconds.notna().sum() == len(table) - 1


@pytest.mark.slow
def test_interrupted_benchmark_is_continued(bench, tmp_path):
    continued, measured = Bench(tmp_path), bench.table
    unfinished = continued.results / f"bench/unfinished-{POINTS}-1.csv"
    unfinished.parent.mkdir()
    before = pd.concat(
        [measured[measured.peer == "ours"].head(1).assign(seconds=12345.0), measured[measured.peer == MISSING]]
    )
    before.to_csv(unfinished, index=False)
    peers = ["ours", MISSING]
    result = continued.run("--layers", "pixel", "--points", f"{POINTS}", "--rounds", "2", "--peers", *peers)
    assert result.returncode == 0, result.stderr
    ours = continued.table[continued.table.peer == "ours"]
    assert ours.seconds.iloc[0] == 12345 and (ours.seconds.iloc[1:] < 12345).all()
    assert ours.groupby("round").seed.nunique().eq(1).all() and ours.seed.nunique() == 2
    assert (continued.results / f"bench/pixel-{MISSING}-1000-1.log").exists(), "a peer that was missing is tried again"
    assert not unfinished.exists(), "the next benchmark is a new one"
    stored = continued.table
    result = continued.run("--layers", "pixel", "--points", f"{POINTS}", "--rounds", "1", "--peers", "sklearn")
    assert result.returncode == 0, result.stderr
    assert continued.table[:-1].equals(stored) and continued.table.peer.iloc[-1] == "sklearn", "runs of others are kept"


@pytest.mark.slow
def test_missing_features_are_refused_in_one_line(tmp_path):
    result = Bench(tmp_path).run("--layers", "pixel", "conv9")
    assert (result.returncode, result.stdout) == (1, "")
    path = "results/Digits/features/conv9.npy"
    command = f"snakemake --cores all {path}"
    assert result.stderr == f"error: {path} does not exist. Run this command first: {command}\n"


@pytest.mark.slow
def test_peer_that_fails_is_reported_in_one_line(tmp_path):
    result = Bench(tmp_path).run("--layers", "pixel", "--points", "20", "--peers", "sklearn")
    assert result.returncode == 1
    assert result.stderr == "error: Nothing could be measured. Read why in results/Digits/bench/*.log.\n"
    assert "failed with status 1: ValueError: perplexity" in result.stdout
    assert not list((tmp_path / "docs").iterdir())
