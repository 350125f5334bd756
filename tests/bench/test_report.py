"""The page and the figure of the comparison."""

import matplotlib
import numpy as np
import pandas as pd
import pytest
from compare import COLUMNS, PEERS, SECTION
from PIL import Image

from helpers import ROOT
from report import COLORS, HEAD, format_digits, format_range, format_table, plot, publish, report, summarize


def make_row(layer, peer, iterations, turn, seconds, divergence):
    """One run, whose other values follow from its seconds."""
    return dict.fromkeys(COLUMNS) | {
        "dataset": "MNIST",
        "layer": layer,
        "dimensions": {"pixel": 784, "conv1": 3920}[layer],
        "points": 50_000,
        "peer": peer,
        "iterations": iterations,
        "round": turn,
        "threads": 2,
        "prepare_seconds": seconds / 4,
        "optimize_seconds": 3 * seconds / 4,
        "seconds": seconds,
        "cpu_seconds": 2 * seconds,
        "compile_seconds": 0.5,
        "start_seconds": 1.0,
        "process_seconds": seconds + 2,
        "process_cpu_seconds": 2 * seconds + 2,
        "peak_mib": 1000.0 + seconds,
        "kl_divergence": divergence,
        "knn_preservation_10": 0.38,
        "knn_accuracy_map": 0.97,
        "processor": "a processor",
        "cores": 2,
        "python": "3.11",
        "versions": "numpy 2; openTSNE 1",
    }


@pytest.fixture
def table():
    """Runs of four peers in the order in which they are measured: two in turn, and two slow ones."""
    runs = [("ours", 300, 10.0, 2.75), ("ours", 200, 8.0, 2.9), ("ours", 1000, 20.0, 2.6), ("openTSNE", 750, 90.0, 2.7)]
    rows = [make_row("pixel", peer, count, 1, seconds, kl) for peer, count, seconds, kl in runs]
    rows += [make_row("pixel", "sklearnex", 1000, 1, 40.0, 2.8), make_row("pixel", "bh_sne", 1000, 1, 850.0, 3.2)]
    rows += [make_row("pixel", "openTSNE", 750, 2, 100.0, 2.71), make_row("pixel", "ours", 300, 2, 12.0, 2.76)]
    rows += [make_row("conv1", "openTSNE", 750, 1, 300.0, 2.65), make_row("conv1", "ours", 300, 1, 20.0, 2.7)]
    return pd.DataFrame(rows, columns=COLUMNS)


@pytest.fixture
def partial(table):
    """The same, but bh_sne could not be measured."""
    is_missing = table.peer == "bh_sne"
    table.loc[is_missing, table.columns[table.columns.get_loc("prepare_seconds") : -5]] = np.nan
    table.note = table.note.astype(object).where(~is_missing, "not installed (no compiler)")
    return table


def cells_of(page):
    """The cells of each table of a page, without the line below the head."""
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in page.splitlines() if line[:1] == "|"]
    return [line for line in lines if not set(line) <= {"---"}]


def test_page_of_the_documentation_is_that_of_its_measurements():
    table = pd.read_csv(ROOT / "docs/benchmark.csv")
    assert report(table) == (ROOT / "docs/benchmark.md").read_text()
    assert list(table.columns) == list(COLUMNS)


def test_summary_has_medians_ranges_and_the_ratio_to_the_default_of_this_workflow_in_the_same_layer(table):
    summary = summarize(table).set_index(["layer", "peer", "iterations"])
    assert list(summary.index) == [
        *(("pixel", "ours", count) for count in (200, 300, 1000)),
        *(("pixel", "openTSNE", 750), ("pixel", "sklearnex", 1000), ("pixel", "bh_sne", 1000)),
        *(("conv1", "ours", 300), ("conv1", "openTSNE", 750)),
    ]
    columns = ["seconds", "low", "high", "kl_low", "kl_high", "runs", "ratio"]
    assert summary.loc[("pixel", "ours", 300), columns].tolist() == [11, 10, 12, 2.75, 2.76, 2, 1]
    assert summary.ratio["pixel", "openTSNE", 750] == 95 / 11 and summary.ratio["conv1", "openTSNE", 750] == 15
    assert summary.default.tolist() == [False, True, False, True, True, True, True, True]


def test_every_peer_and_number_of_iterations_has_a_row_with_the_median_of_its_runs(partial):
    page = report(partial).split("## Number of threads")[0]
    rows = [dict(zip(HEAD, row, strict=True)) for row in cells_of(page) if row != list(HEAD)]
    names = [
        PEERS[peer].name for peer in ("ours", "ours", "ours", "openTSNE", "sklearnex", "bh_sne", "ours", "openTSNE")
    ]
    assert [row[""] for row in rows] == names
    ours, by_opentsne, missing = rows[1], rows[3], rows[5]
    assert ours["iterations"] == "300 (default)" and rows[0]["iterations"] == "200"
    assert (ours["seconds"], ours["times this workflow's"]) == ("11.0 [10.0-12.0]", "1.00")
    assert ours["KL divergence"] == "2.7550 [2.7500-2.7600]" and ours["runs"] == "2"
    assert (ours["before the first iteration"], ours["in iterations"]) == ("2.75", "8.25")
    assert (ours["CPU"], ours["compilation"], ours["start-up"], ours["process"]) == ("22.0", "0.50", "1.00", "13.0")
    assert (ours["peak memory (GiB)"], ours["kNN preservation (%)"], ours["kNN accuracy (%)"]) == (
        "0.99",
        "38.0",
        "97.00",
    )
    assert by_opentsne["times this workflow's"] == "8.64" and by_opentsne["neighbors"] == PEERS["openTSNE"].neighbors
    assert [*missing.values()][3:] == [*[""] * (len(HEAD) - 4), "0"]
    assert "Not measured:\n\n- **bh_sne**, pixel: not installed (no compiler)\n" in report(partial)


def test_layer_that_was_not_measured_has_no_table(table):
    table.loc[table.layer == "conv1", "seconds"] = np.nan
    page = report(table)
    assert "## MNIST, conv1" not in page and "## MNIST, pixel: 50,000 images, 784 dimensions, 2 threads" in page


def test_each_number_of_threads_is_a_section_and_has_a_row_of_seconds(table):
    single = table[table.layer == "pixel"].assign(threads=1, seconds=3 * table.seconds)
    both = pd.concat([table, single])
    page = report(both)
    assert page.index("MNIST, conv1: 50,000 images, 3,920 dimensions, 2 threads") < page.index("dimensions, 1 thread\n")
    assert summarize(both).set_index([*SECTION, "peer"]).ratio["MNIST", "pixel", 1, "openTSNE"] == 95 / 11
    head, *rows = cells_of(page.split("## Number of threads")[1])
    assert head == ["threads", "MNIST, pixel", "MNIST, conv1"]
    assert rows == [["1", "33.0", ""], ["2", "11.0", "20.0"], ["4", "", ""], ["8", "", ""], ["16", "", ""]]
    assert len(plot(both).axes) == 4 and "The figure shows the runs on 2 threads" in page


def test_every_machine_is_named(table):
    other = table.head(1).assign(layer="conv2", cores=8, processor="another")
    page = report(pd.concat([table, other]))
    assert "has 2 cores (a processor) and Python 3.11.\nThe machine has 8 cores (another)" in page


def test_numbers_have_three_digits():
    values = (0.006, 1.234, 12.34, 99.94, 123.4, 12_345)
    assert [format_digits(value) for value in values] == ["0.01", "1.23", "12.3", "99.9", "123", "12,345"]
    assert [format_digits(value) for value in (10, 100)] == ["10.0", "100"]
    assert format_range(1, 2) == " [1.00-2.00]" and format_range(1, 1) == ""
    assert format_range(0.5, 0.75, ".1f") == " [0.5-0.8]"


def test_table_is_markdown():
    assert format_table([["", "b"], ["1", "2"]]) == "|  | b |\n|---|---|\n| 1 | 2 |"


def test_figure_has_a_column_for_each_layer_and_names_the_peers_that_were_not_measured(partial):
    axes = plot(partial).axes
    assert [panel.get_title(loc="left") for panel in axes[:2]] == ["MNIST, pixel", "MNIST, conv1"]
    names = [PEERS[peer].name for peer in ("ours", "openTSNE", "sklearnex", "bh_sne")]
    assert [label.get_text() for label in axes[2].get_yticklabels()] == names
    remarks = [[text.get_text() for text in panel.texts] for panel in axes[2:]]
    assert remarks == [["not measured"], ["not run", "not run"]]


def test_figure_has_a_curve_of_the_divergence_over_the_seconds_of_each_peer(partial):
    panel = plot(partial).axes[0]
    curves = [line.get_xydata().tolist() for line in panel.lines]
    assert curves[:2] == [[[8, 2.9], [11, 2.755], [20, 2.6]], [[11, 2.755]]], "all numbers, and the default"
    assert [text.get_text() for text in panel.get_legend().get_texts()] == [
        PEERS[peer].name for peer in ("ours", "openTSNE", "sklearnex")
    ]


def test_every_peer_has_a_color():
    assert set(COLORS) == set(PEERS)


def test_figure_marks_the_times_of_each_peer_on_its_line(table):
    panel = plot(table).axes[2]
    marked = [line.get_xdata() for line in panel.lines if set(np.ravel(line.get_ydata())) == {0}]
    assert np.allclose(np.concatenate([np.ravel(x) for x in marked]), [10, 12, 2.75, 8.25, 11])
    assert panel.get_ylim() == (3.6, -0.6), "the first on top"


def test_published_page_and_figure_are_written_beside_the_table(table, tmp_path, monkeypatch):
    (tmp_path / "docs").mkdir()
    table.to_csv(tmp_path / "docs/benchmark.csv", index=False)
    monkeypatch.chdir(tmp_path)
    with matplotlib.rc_context():
        publish("benchmark", plot, report)
    assert (tmp_path / "docs/benchmark.md").read_text() == report(table)
    with Image.open(tmp_path / "docs/benchmark.png") as image:
        assert image.width == 2100
