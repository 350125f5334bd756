"""Deformed images, and how t-SNE grows with their number, in a short form, of which no time is judged."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from deform import BLOCK, blocks, deform
from growth import STAGES
from PIL import Image
from report_growth import exponents, plot, power, report, with_total
from sklearn.neighbors import KNeighborsClassifier

from common.readers.sources import read_source
from helpers import ROOT

POINTS = (300, 600)
COUNT = 700  # images, of 400 of their own


class Growth:
    """A folder in which the workflow has prepared a small data set, whose images are deformed."""

    def __init__(self, folder: Path, images: np.ndarray, labels: np.ndarray) -> None:
        self.folder, self.images, self.labels = folder, images, labels
        (folder / "docs").mkdir()
        data = folder / "results/Small/data"
        data.mkdir(parents=True)
        for split, rows in ("train", slice(300)), ("validation", slice(300, 350)), ("test", slice(350, 400)):
            np.save(data / f"{split}_images.npy", images[rows, ..., None] / np.float32(256))
            np.save(data / f"{split}_labels.npy", labels[rows])

    def run(self, script: str, *arguments: str) -> subprocess.CompletedProcess:
        command = [sys.executable, ROOT / f"bench/{script}.py", *arguments]
        environment = os.environ | {"PYTHONPATH": f"{ROOT / 'scripts'}"}
        return subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True)

    def grow(self, *points: int) -> subprocess.CompletedProcess:
        # one thread: two that wait for each other take long on a busy machine
        return self.run("growth", "--threads", "1", "--points", *map(str, points))

    @property
    def table(self) -> pd.DataFrame:
        return pd.read_csv(self.folder / "docs/growth.csv")


@pytest.fixture(scope="module")
def growth(tmp_path_factory, parts) -> Growth:
    growth = Growth(
        tmp_path_factory.mktemp("growth"), parts["train_images"][:400], parts["train_labels"][:400].astype(np.int64)
    )
    for result in growth.run("deform", f"{COUNT}", "--dataset", "Small"), growth.grow(*POINTS):
        assert result.returncode == 0, result.stdout + result.stderr
    return growth


@pytest.fixture(scope="module")
def deformed(growth) -> tuple[np.ndarray, np.ndarray]:
    return tuple(np.load(growth.folder / f"resources/deformed/{name}.npy") for name in ("images", "labels"))


def test_data_set_comes_first_in_another_order(growth, deformed):
    images, labels = deformed
    assert images.shape == (COUNT, 28, 28) and images.dtype == np.uint8 and labels.shape == (COUNT,)
    sort = lambda rows: rows[np.lexsort(rows.T)]  # noqa: E731
    together = [
        np.hstack([images.reshape(len(images), -1), labels[:, None]])
        for images, labels in ((images[:400], labels[:400]), (growth.images, growth.labels))
    ]
    assert np.array_equal(*map(sort, together)), "each image with its label"
    assert not np.array_equal(*together)
    assert np.any(labels[:100] != growth.labels[:100])


def test_deformed_images_have_the_labels_of_their_sources_in_turn(deformed):
    images, labels = deformed
    assert np.array_equal(labels[400:], labels[:300])
    own, others = images[:400].reshape(400, -1), images[400:].reshape(300, -1)
    apart = ((others[:, None].astype(float) - own) ** 2).sum(axis=2)
    nearest = (apart.argsort(axis=1)[:, :5] == np.arange(300)[:, None]).any(axis=1)
    assert nearest.mean() > 0.8, "of a digit, what it was made of is among the most like it"
    assert apart[np.arange(300), np.arange(300)].min() > 0


def test_deformed_digits_are_of_their_class(parts):
    """Most are what a classifier by pixels that has seen other images takes them for; of their sources, 94 %."""
    images, labels = parts["train_images"], parts["train_labels"]
    votes = KNeighborsClassifier(3).fit(images[500:].reshape(len(images) - 500, -1), labels[500:])
    made = deform(images[:500], np.random.default_rng(0))
    assert votes.score(made.reshape(500, -1), labels[:500]) > 0.75, "47 % with a strength of 60"


def test_image_is_the_same_however_many_there_are():
    own = BLOCK // 8  # so that each block begins with the first
    images = np.random.default_rng(0).integers(0, 256, (own, 12, 9), np.uint8)
    few, many = (np.concatenate(list(blocks(images, count))) for count in (1234, 2 * BLOCK + 777))
    assert few.shape == (1234, 12, 9) and many.shape == (2 * BLOCK + 777, 12, 9)
    assert np.array_equal(few, many[:1234])
    assert np.array_equal(images, few[:own]) and np.array_equal(images[:70], next(blocks(images, 70)))
    parts = [many[own + start : own + start + own] for start in (0, own, BLOCK)]
    assert not np.array_equal(parts[0], parts[1]), "each image has noise of its own"
    assert not np.array_equal(parts[0], parts[2]), "and each block"
    other = np.concatenate(list(blocks(images, 1234, seed=7)))
    assert not np.array_equal(few[own:], other[own:])


def test_workflow_reads_deformed_images(growth, deformed):
    files = {name: f"{growth.folder}/resources/deformed/{name}.npy" for name in ("images", "labels")}
    part = read_source("npy", files, None)["train"]
    (block,) = part.images.blocks()
    assert block.shape == (COUNT, 28, 28, 1) and np.array_equal(block[..., 0] * 256, deformed[0])
    assert np.array_equal(part.labels, deformed[1])


def test_images_with_colors_are_one_line(tmp_path, parts):
    growth = Growth(tmp_path, parts["train_images"][:400], parts["train_labels"][:400])
    np.save(tmp_path / "results/Small/data/train_images.npy", np.zeros((5, 4, 4, 3), np.float32))
    result = growth.run("deform", "700", "--dataset", "Small")
    assert result.returncode == 1 and not (tmp_path / "resources").exists()
    assert result.stderr == "error: the images of Small have 3 channels; only those of one are deformed\n"


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


def test_exponent_is_that_of_the_law():
    points = pd.Series([5_000, 20_000, 70_000, 200_000, 1_000_000])
    assert power(points, 3e-4 * points**1.12) == pytest.approx((1.12, 3e-4))
    laws = {"neighbors": (1.5, 7), "affinities": (1.5, 5), "optimization": (1.5, 9), "divergence": (2, 11)}
    made = [(n, stage, 1e-3 * n**exponent, 1, 1, peak) for n in points for stage, (exponent, peak) in laws.items()]
    table = pd.DataFrame(made, columns=["points", "stage", "seconds", "cpu_seconds", "process_seconds", "peak_mib"])
    table.loc[(table.stage == "divergence") & (table.points > 70_000), "seconds"] *= (table.points / 70_000) ** 0.5
    rows = with_total(table)
    total = rows[rows.stage == "total"]
    assert total.seconds.tolist() == pytest.approx((3e-3 * points**1.5).tolist()) and (total.peak_mib == 9).all()
    found = [[cell.strip() for cell in line.strip("|").split("|")] for line in exponents(rows).splitlines()]
    assert found[0] == ["", "5,000 to 1,000,000", "5,000 to 70,000", "70,000 to 1,000,000"]
    assert found[2] == ["total", "1.50", "1.50", "1.50"]
    assert found[-1][0] == "divergence" and found[-1][3] == "2.50"
    drawn = [text.get_text() for text in plot(table).subfigs[0].legends[0].get_texts()]
    assert "divergence, $n^{2.00}$ then $n^{2.50}$" in drawn


def test_number_of_images_of_which_a_stage_failed_has_no_total(growth):
    table = growth.table
    failed = (table.points == POINTS[1]) & (table.stage == "optimization")
    table.loc[failed, ["seconds", "peak_mib"]] = np.nan
    table.note = table.note.astype(object).where(~failed, "failed with status -9: it said nothing")
    rows = with_total(table)
    assert rows[rows.stage == "total"].points.tolist() == [POINTS[0]]
    assert "- 600 images, optimization: failed with status -9: it said nothing\n" in report(table)


def test_page_and_figure_show_every_stage(growth):
    page = (growth.folder / "docs/growth.md").read_text()
    assert [line.removeprefix("## ") for line in page.splitlines() if line.startswith("## ")] == [
        "Exponents",
        *STAGES,
        "total",
        "What the columns are",
    ]
    assert "an exact search" in page
    exponent = power(*growth.table.query("stage == 'optimization'")[["points", "seconds"]].T.to_numpy())[0]
    legends = [part.legends[0] for part in plot(growth.table).subfigs]
    labels = [[text.get_text() for text in legend.get_texts()] for legend in legends]
    assert f"optimization, $n^{{{exponent:.2f}}}$" in labels[0] and len(labels[0]) == 5 and len(labels[1]) == 4
    with Image.open(growth.folder / "docs/growth.png") as image:
        assert image.width == 2100


def test_unfinished_benchmark_goes_on_and_a_failed_stage_stops_it_not(growth):
    folder, measured = growth.folder / "results/deformed/bench", growth.table
    assert {path.name for path in folder.glob("*.np[yz]")} == {"features.npy"}, "what was handed over is away"
    unfinished = folder / "unfinished-1.csv"
    assert not unfinished.exists()
    measured.query("points == 300").assign(seconds=12345.0).to_csv(unfinished, index=False)
    result = growth.grow(90, 300)
    assert result.returncode == 0, result.stderr
    first, *others = growth.table.itertuples()
    measured.to_csv(growth.folder / "docs/growth.csv", index=False)
    assert (first.points, first.stage) == (90, "neighbors")
    assert first.note.startswith("failed with status 1: 90 neighbors of each image")
    assert [(row.points, row.stage, row.seconds) for row in others] == [(300, stage, 12345) for stage in STAGES]
    assert not unfinished.exists(), "the next benchmark is a new one"


@pytest.mark.parametrize("there", [True, False])
def test_too_few_images_are_one_line(growth, tmp_path, there):
    if there:
        result = growth.grow(COUNT + 1)
        what = f"resources/deformed/images.npy has 700 images, and {COUNT + 1} are asked for: make more"
    else:
        result = Growth(tmp_path, growth.images, growth.labels).grow(300)
        what = "resources/deformed/images.npy is not there; make it first: "
    assert result.returncode == 1 and result.stderr.startswith(f"error: {what}") and result.stderr.count("\n") == 1
