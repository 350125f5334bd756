"""The benchmark, in a short form: scikit-learn's digits, of which no time is judged."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from compare import PEERS, plan
from measuring import measure
from openTSNE.affinity import PerplexityBasedNN
from PIL import Image
from scipy.spatial.distance import cdist
from sklearn.datasets import load_digits

from helpers import ROOT
from report import plot, summarize

POINTS = 300
LEFT_OUT = "bh_sne"
INTEL = sys.platform == "linux" and platform.machine() == "x86_64"
HERE = [peer for peer in PEERS if INTEL or peer != "sklearnex"]


class Bench:
    """A folder in which the workflow has made the features of the digits, and where the benchmark can be run."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.made = folder, folder / "results/Digits"
        digits = load_digits()
        for name, array in ("features/pixel", digits.data.astype(np.float32)), ("data/train_labels", digits.target):
            path = self.made / f"{name}.npy"
            path.parent.mkdir(parents=True)
            np.save(path, array)
        (folder / "docs").mkdir()
        (folder / "tsne.py").write_text("raise ImportError('no bh_sne on this machine')")

    def run(self, *arguments: str) -> subprocess.CompletedProcess:
        """Run it, where bh_sne cannot be imported."""
        # one thread: two that wait for each other take long on a busy machine
        command = [sys.executable, ROOT / "bench/compare.py", "--dataset", "Digits", "--threads", "1", *arguments]
        environment = os.environ | {"PYTHONPATH": f"{ROOT / 'scripts'}{os.pathsep}{self.folder}"}
        return subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True)

    @property
    def table(self) -> pd.DataFrame:
        """What it has measured."""
        return pd.read_csv(self.folder / "docs/benchmark.csv")


@pytest.fixture(scope="module")
def bench(tmp_path_factory) -> Bench:
    """All peers but one, in two rounds."""
    bench = Bench(tmp_path_factory.mktemp("bench"))
    result = bench.run("--layers", "pixel", "--points", f"{POINTS}", "--rounds", "2", "--peers", *HERE)
    assert result.returncode == 0, result.stderr
    return bench


def test_peers_take_turns_and_slow_ones_run_once():
    assert plan(["pixel", "conv1"], ["ours", "openTSNE", "bh_sne"], 2) == [
        ("pixel", 1, "ours"),
        ("pixel", 1, "openTSNE"),
        ("pixel", 1, "bh_sne"),
        ("pixel", 2, "ours"),
        ("pixel", 2, "openTSNE"),
        ("conv1", 1, "ours"),
        ("conv1", 1, "openTSNE"),
        ("conv1", 2, "ours"),
        ("conv1", 2, "openTSNE"),
    ]


def test_every_run_has_its_row_in_its_turn(bench):
    table = bench.table
    assert list(zip(table.layer, table["round"], table.peer, strict=True)) == plan(["pixel"], HERE, 2)
    ran = table[table.peer != LEFT_OUT]
    assert ran.note.isna().all(), ran.note.dropna().tolist()
    assert ran.drop(columns="note").notna().all(axis=None)
    parts = ["prepare_seconds", "optimize_seconds", "cpu_seconds", "start_seconds", "peak_mib"]
    assert (ran[parts] > 0).all(axis=None)
    assert np.allclose(ran.prepare_seconds + ran.optimize_seconds, ran.seconds, atol=0.002)
    assert (ran.start_seconds + ran.seconds <= ran.process_seconds).all()
    assert (ran.cpu_seconds <= ran.process_cpu_seconds).all()
    assert (ran.points == POINTS).all() and (ran.dimensions == 64).all()
    assert ran.groupby("round").seed.nunique().eq(1).all() and ran.seed.nunique() == 2


def test_scores_are_those_of_the_maps(bench):
    """Against the definitions, with all pairs, and openTSNE's own affinities of its own exact search."""
    features, labels = (
        np.load(bench.made / f"{name}.npy")[:POINTS] for name in ("features/pixel", "data/train_labels")
    )
    p = PerplexityBasedNN(features.astype(np.float64), perplexity=30, method="exact").P.toarray()
    others = np.where(np.eye(POINTS, dtype=bool), np.inf, 0)
    apart = cdist(features, features) + others
    tenth = np.sort(apart, axis=1)[:, 9:10]  # which several can share, since the features are whole numbers
    for row in bench.table[bench.table.peer != LEFT_OUT].itertuples():
        places = np.load(bench.made / f"bench/pixel-{row.peer}-{row.round}.npy")
        assert places.shape == (POINTS, 2) and places.dtype == np.float32
        distances = cdist(places, places) + others
        q = 1 / (1 + distances**2)
        q /= q.sum()
        assert row.kl_divergence == pytest.approx((p[p > 0] * np.log(p[p > 0] / q[p > 0])).sum(), abs=1e-4)
        on_map = np.argsort(distances, axis=1)[:, :10]
        found = np.take_along_axis(apart, on_map, axis=1)
        assert (found < tenth).mean() <= row.knn_preservation_10 <= (found <= tenth).mean()
        right = np.mean([np.bincount(votes).argmax() for votes in labels[on_map]] == labels)
        assert row.knn_accuracy_map == pytest.approx(right, abs=0.004)


def test_peer_that_is_not_installed_is_named_and_stops_nobody(bench):
    table = bench.table
    (note,) = table[table.peer == LEFT_OUT].note
    assert note.startswith("not installed (no bh_sne on this machine)") and "\n" not in note
    assert note in (bench.folder / "docs/benchmark.md").read_text()
    assert table.seconds.notna().sum() == len(table) - 1


def test_peer_that_a_layer_was_not_given_is_said_to_be_not_run(bench):
    ours = bench.table[bench.table.peer == "ours"].assign(layer="conv1")
    first, second = plot(pd.concat([bench.table, ours])).axes
    said = [[text.get_text() for text in axes.texts].count("not run") for axes in (first, second)]
    assert said == [0, len(HERE) - 1]


def test_ratio_is_to_this_workflow_in_the_same_layer(bench):
    made = pd.DataFrame(
        {
            "layer": ["pixel"] * 5 + ["conv1"] * 2,
            "peer": ["ours", "openTSNE", "ours", "openTSNE", "ours", "openTSNE", "ours"],
            "seconds": [2.0, 30.0, 3.0, 60.0, 10.0, 7.0, 14.0],
        }
    )
    summary = summarize(made.reindex(columns=bench.table.columns)).set_index(["layer", "peer"])
    assert summary.ratio.to_dict() == {
        ("pixel", "ours"): 1,
        ("pixel", "openTSNE"): 15,
        ("conv1", "openTSNE"): 0.5,
        ("conv1", "ours"): 1,
    }
    assert summary.loc[("pixel", "ours"), ["seconds", "low", "high", "runs"]].tolist() == [3, 2, 10, 3]


def test_page_and_figure_show_every_peer(bench):
    page = (bench.folder / "docs/benchmark.md").read_text()
    head, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in page.splitlines() if "|" in line)
    found = {row[0]: dict(zip(head, row, strict=True)) for row in rows[1:]}
    names = [PEERS[peer].name for peer in HERE]
    assert list(found) == names
    medians = bench.table.groupby("peer").seconds.median()
    for peer in set(HERE) - {LEFT_OUT}:
        ratio = float(found[PEERS[peer].name]["times this workflow's"].replace(",", ""))
        assert ratio == pytest.approx(medians[peer] / medians["ours"], abs=0.006, rel=0.006), "three digits"
    (axes,) = plot(bench.table).axes
    assert [label.get_text() for label in axes.get_yticklabels()] == names
    assert "no numbers" in [text.get_text() for text in axes.texts]
    with Image.open(bench.folder / "docs/benchmark.png") as image:
        assert image.width == 2100


def test_unfinished_benchmark_goes_on(bench, tmp_path):
    again = Bench(tmp_path)
    table = bench.table
    (again.made / "bench").mkdir()
    first = table[(table.peer == "ours") & (table["round"] == 1)].assign(seconds=12345.0)
    left_out = table[table.peer == LEFT_OUT]
    unfinished = again.made / f"bench/unfinished-{POINTS}-1.csv"
    pd.concat([left_out, first]).to_csv(unfinished, index=False)
    result = again.run("--layers", "pixel", "--points", f"{POINTS}", "--rounds", "2", "--peers", "ours", LEFT_OUT)
    assert result.returncode == 0, result.stderr
    ours = again.table[again.table.peer == "ours"]
    assert ours.seconds.iloc[0] == 12345 and ours.seconds.iloc[1] < 12345
    assert (again.made / f"bench/pixel-{LEFT_OUT}-1.log").exists(), "what was not installed is tried again"
    assert not unfinished.exists(), "the next benchmark is a new one"


def test_missing_features_are_one_line(tmp_path):
    result = Bench(tmp_path).run("--layers", "pixel", "conv9")
    assert (result.returncode, result.stdout) == (1, "")
    path = "results/Digits/features/conv9.npy"
    assert result.stderr == f"error: {path} is not there; make it first: snakemake --cores all {path}\n"


def test_peer_that_fails_is_one_line(tmp_path):
    result = Bench(tmp_path).run("--layers", "pixel", "--points", "20", "--peers", "sklearn")
    assert result.returncode == 1 and len(result.stderr.splitlines()) == 1
    assert "failed with status 1: ValueError: perplexity" in result.stdout
    assert not list((tmp_path / "docs").iterdir())


def test_process_is_measured_with_its_children(tmp_path):
    code = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'x = bytes(range(256)) * 2**22'])"
    status, _, taken = measure([sys.executable, "-c", code], tmp_path / "words.log", 1)
    assert status == 0 and taken["peak_mib"] >= 1024
