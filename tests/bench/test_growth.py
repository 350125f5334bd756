"""The growth of the time with the number of images, in a short form. No time is judged."""

import json
import os
import subprocess
import sys
from pathlib import Path

import growth as growth_module
import numpy as np
import pandas as pd
import pytest
import run_stage
from growth import STAGES, measure_growth
from PIL import Image
from run_stage import flatten_images, main
from scipy.sparse import load_npz
from scipy.spatial.distance import cdist

from common.errors import UserError
from common.scoring.votes import vote
from common.tsne.objective import kl_divergence
from helpers import ROOT

POINTS = (300, 600)
FOLDER = Path("results/deformed/bench")


def write_images(folder: Path, images: np.ndarray) -> None:
    (folder / "resources/deformed").mkdir(parents=True)
    np.save(folder / "resources/deformed/images.npy", images)
    np.save(folder / "resources/deformed/labels.npy", np.arange(len(images)) % 10)


@pytest.fixture
def images(parts, tmp_path, monkeypatch) -> np.ndarray:
    """700 images, written to the current folder as deform.py writes them."""
    images = parts["train_images"][:700]
    write_images(tmp_path, images)
    (tmp_path / FOLDER).mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    return images


def test_features_are_the_pixels_of_the_first_images(images):
    flatten_images(700)
    features = run_stage.load_features(30)
    assert np.array_equal(features, images[:30].reshape(30, 784) / np.float32(256))


def test_features_are_written_again_only_after_the_images(images):
    flatten_images(10)
    path, written = FOLDER / "features.npy", (FOLDER / "features.npy").stat().st_mtime_ns
    flatten_images(10)
    assert path.stat().st_mtime_ns == written
    os.utime("resources/deformed/images.npy", ns=(written + 10**10, written + 10**10))
    flatten_images(10)
    assert path.stat().st_mtime_ns > written


def test_too_few_images_are_refused_with_what_to_do(images):
    flatten_images(700)
    with pytest.raises(UserError) as caught:
        flatten_images(701)
    assert str(caught.value) == (
        "resources/deformed/images.npy has 700 images, and 701 are needed. "
        "Write more (bench/deform.py 701), or measure fewer (--points)."
    )


def test_each_stage_continues_from_the_files_of_the_one_before(images):
    flatten_images(700)
    records = {}
    for stage in STAGES:
        main(stage, 120, 1, 1004)
        records[stage] = json.loads((FOLDER / f"120-{stage}.json").read_text())
        assert records[stage]["seconds"] >= 0 and records[stage]["cpu_seconds"] >= 0
        assert records[stage]["versions"].startswith("openTSNE ") and records[stage]["python"][0] == "3"
    assert (records["neighbors"]["plan"], records["neighbors"]["recall"]) == ("an exact search", 1)
    assert records["neighbors"]["dimensions"] == 784
    p, coordinates = load_npz(FOLDER / "120-affinities.npz"), np.load(FOLDER / "120-map.npy")
    assert coordinates.shape == (120, 2) and coordinates.dtype == np.float32 and p.sum() == pytest.approx(1)
    assert records["divergence"]["kl_divergence"] == pytest.approx(kl_divergence(coordinates, p), abs=1e-4)
    features, itself = run_stage.load_features(120), np.diag(np.full(120, np.inf))
    nearest, in_features = (np.argsort(cdist(rows, rows) + itself)[:, :10] for rows in (coordinates, features))
    preserved = np.mean([len(np.intersect1d(*pair)) / 10 for pair in zip(nearest, in_features, strict=True)])
    assert records["quality"]["knn_preservation_10"] == pytest.approx(preserved, abs=0.002)
    accuracy = (vote(np.arange(120)[nearest] % 10) == np.arange(120) % 10).mean()
    assert records["quality"]["knn_accuracy_map"] == pytest.approx(accuracy, abs=0.01)


def test_quality_is_that_of_a_sample_without_the_rows_themselves(images, monkeypatch):
    """Pairs of copies share a place and a label: of two neighbors, one is the copy, and the row itself is none."""
    monkeypatch.setattr(run_stage, "SAMPLE", 7)
    monkeypatch.setattr(run_stage, "N_VOTERS", 1)
    places = np.repeat(np.arange(100.0), 2)[:, None] * [1, 0]
    np.save(FOLDER / "200-map.npy", places.astype(np.float32))
    np.save("resources/deformed/labels.npy", np.repeat(np.arange(100), 2))
    copies = np.arange(200) ^ 1
    np.savez(FOLDER / "200-neighbors.npz", indices=copies[:, None])
    scores = run_stage.run_quality(200, 1, 1004, run_stage.Timer())
    assert scores == {"knn_accuracy_map": 1, "knn_preservation_10": 1}


def test_plan_of_an_approximate_search_is_recorded(images, monkeypatch):
    rows = (np.random.default_rng(0).normal(size=(1000, 784)) * np.geomspace(10, 0.1, 784)).astype(np.float32)
    np.save(FOLDER / "features.npy", rows.reshape(1000, 28, 28, 1))
    monkeypatch.setattr("common.knn.index.EXACT_ROWS", 900)
    monkeypatch.setitem(run_stage.CONFIG["tsne"], "perplexity", 5)
    main("neighbors", 1000, 1, 1004)
    plan = json.loads((FOLDER / "1000-neighbors.json").read_text())["plan"].split()
    assert plan[1:] == ["components,", "2", "k", "candidates,", plan[5], "cells"] and 1 <= int(plan[5]) <= 124


def test_stages_are_measured_up_to_their_limit_and_a_failure_ends_its_number(images, monkeypatch, capsys):
    def run(stage, points, threads):
        if (stage, points) == ("affinities", 300):
            return {"note": "failed with status 1: no reason"}
        (FOLDER / f"{points}-{stage}.npy").touch()
        return {"seconds": points / 100, "peak_mib": 1024.0}

    monkeypatch.setattr(growth_module, "run", run)
    monkeypatch.setattr(growth_module, "limit_cores", lambda threads: None)
    monkeypatch.setattr(growth_module, "flatten_images", lambda count, threads: None)
    rows = measure_growth([250_000, 600, 300, 300], 1)
    names = list(STAGES)
    expected = [(300, name) for name in names[:2]] + [(600, name) for name in names]
    assert [(row["points"], row["stage"]) for row in rows] == expected + [
        (250_000, name) for name in names if name != "divergence"
    ]
    assert {path.name for path in FOLDER.iterdir()} == {"300-neighbors.npy"}, "kept if a stage fails"
    assert "300 images, affinities: failed with status 1: no reason\n" in capsys.readouterr().out


class Growth:
    """A folder with images, where the benchmark can be run."""

    def __init__(self, folder: Path, images: np.ndarray) -> None:
        self.folder = folder
        (folder / "docs").mkdir()
        write_images(folder, images)

    def run(self, *points: int) -> subprocess.CompletedProcess:
        """Run it on one thread."""
        command = [sys.executable, ROOT / "bench/growth.py", "--threads", "1", "--points", *map(str, points)]
        environment = os.environ | {"PYTHONPATH": f"{ROOT / 'scripts'}"}
        return subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True)

    @property
    def table(self) -> pd.DataFrame:
        """The measurements."""
        return pd.read_csv(self.folder / "docs/growth.csv")


@pytest.fixture(scope="module")
def growth(tmp_path_factory, parts) -> Growth:
    growth = Growth(tmp_path_factory.mktemp("growth"), parts["train_images"][:700])
    result = growth.run(*POINTS)
    assert result.returncode == 0, result.stdout + result.stderr
    return growth


@pytest.mark.slow
def test_every_stage_has_its_row(growth):
    table = growth.table
    assert list(zip(table.points, table.stage, strict=True)) == [(n, stage) for n in POINTS for stage in STAGES]
    assert table.note.isna().all()
    measured = ["seconds", "cpu_seconds", "process_seconds", "process_cpu_seconds", "peak_mib"]
    assert (table[measured] > 0).all(axis=None)
    assert (table.seconds < table.process_seconds).all() and (table.cpu_seconds < table.process_cpu_seconds).all()
    by_stage = table.set_index("stage")
    assert (by_stage.loc["neighbors", "recall"] == 1).all() and (by_stage.loc["neighbors", "dimensions"] == 784).all()
    assert by_stage.loc["divergence", "kl_divergence"].between(0.1, 2).all()
    assert by_stage.loc["quality", "knn_preservation_10"].between(0.3, 0.9).all()
    assert "an exact search" in (growth.folder / "docs/growth.md").read_text()
    with Image.open(growth.folder / "docs/growth.png") as image:
        assert image.width == 2100


@pytest.mark.slow
def test_interrupted_benchmark_is_continued_and_a_failed_stage_does_not_stop_it(growth):
    folder, measured = growth.folder / FOLDER, growth.table
    assert {path.name for path in folder.glob("*.np[yz]")} == {"features.npy"}, "files between stages are removed"
    unfinished = folder / "unfinished-1.csv"
    assert not unfinished.exists()
    measured.query("points == 300").assign(seconds=12345.0).to_csv(unfinished, index=False)
    result = growth.run(90, 300)
    assert result.returncode == 0, result.stderr
    first, *others = growth.table.itertuples()
    measured.to_csv(growth.folder / "docs/growth.csv", index=False)
    assert (first.points, first.stage) == (90, "neighbors")
    assert first.note == (
        "failed with status 1: ValueError: There are 90 rows, and 90 neighbors of each are needed. "
        "Give more rows or a smaller k."
    )
    assert [(row.points, row.stage, row.seconds) for row in others] == [(300, stage, 12345) for stage in STAGES]
    assert not unfinished.exists(), "the next benchmark is a new one"


@pytest.mark.slow
def test_too_few_or_no_images_are_refused_in_one_line(growth):
    images = growth.folder / "resources/deformed/images.npy"
    result = growth.run(701)
    assert result.returncode == 1 and result.stderr.startswith(f"error: {images.relative_to(growth.folder)} has 700")
    assert result.stderr.count("\n") == 1
    images.rename(images.with_name("other.npy"))
    result = growth.run(300)
    images.with_name("other.npy").rename(images)
    assert result.returncode == 1 and "images.npy does not exist. Run this command first: " in result.stderr
    assert "bench/deform.py 300\n" in result.stderr and result.stderr.count("\n") == 1
