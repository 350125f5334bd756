"""The page and the figure of the comparison."""

import matplotlib
import numpy as np
import pandas as pd
import pytest
from compare import COLUMNS, PEERS
from PIL import Image

from helpers import ROOT
from report import HEAD, format_digits, format_range, format_table, plot, publish, report, summarize


@pytest.fixture
def table():
    """The measurements of the documentation."""
    return pd.read_csv(ROOT / "docs/benchmark.csv")


@pytest.fixture
def partial(table):
    """The same, but bh_sne could not be measured, and scikit-learn was not run."""
    table = table[table.peer != "sklearn"]
    is_missing = table.peer == "bh_sne"
    table.loc[is_missing, table.columns[table.columns.get_loc("prepare_seconds") : -5]] = np.nan
    table.note = table.note.astype(object).where(~is_missing, "not installed (no compiler)")
    return table


def cells_of(page):
    """The cells of each table of a page, without the line below the head."""
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in page.splitlines() if line[:1] == "|"]
    return [line for line in lines if not set(line) <= {"---"}]


def test_page_of_the_documentation_is_that_of_its_measurements(table):
    assert report(table) == (ROOT / "docs/benchmark.md").read_text()
    assert list(table.columns) == list(COLUMNS)


def test_summary_has_medians_ranges_and_the_ratio_to_this_workflow_in_the_same_layer(table):
    few = pd.DataFrame(
        {
            "layer": ["pixel"] * 5 + ["conv1"] * 2,
            "peer": ["ours", "openTSNE", "ours", "openTSNE", "ours", "openTSNE", "ours"],
            "seconds": [2.0, 30.0, 3.0, 60.0, 10.0, 7.0, 14.0],
            "kl_divergence": [1.0, 2.0, 1.5, 2.5, 1.2, 3.0, 4.0],
        }
    )
    summary = summarize(few.reindex(columns=table.columns)).set_index(["layer", "peer"])
    assert summary.ratio.to_dict() == {
        ("pixel", "ours"): 1,
        ("pixel", "openTSNE"): 15,
        ("conv1", "openTSNE"): 0.5,
        ("conv1", "ours"): 1,
    }
    columns = ["seconds", "low", "high", "kl_low", "kl_high", "runs"]
    assert summary.loc[("pixel", "ours"), columns].tolist() == [3, 2, 10, 1, 1.5, 3]


def test_every_peer_has_a_row_with_the_median_of_its_runs(partial):
    rows = [row for row in cells_of(report(partial)) if row != list(HEAD)]
    names = [row[0] for row in rows]
    first_layer = [PEERS[peer].name for peer in ("ours", "openTSNE", "sklearnex", "bh_sne")]
    assert names == first_layer + 2 * first_layer[:2]
    ours, by_opentsne, _, missing, *_ = (dict(zip(HEAD, row, strict=True)) for row in rows)
    pixels = partial[partial.layer == "pixel"].groupby("peer")
    medians = pixels[["seconds", "peak_mib", "knn_preservation_10", "knn_accuracy_map"]].median()
    ratio = medians.seconds["openTSNE"] / medians.seconds["ours"]
    assert float(by_opentsne["times this workflow's"]) == pytest.approx(ratio, abs=0.006)
    assert ours["seconds"].startswith(format_digits(medians.seconds["ours"]) + " [") and ours["runs"] == "3"
    assert float(ours["peak memory (GiB)"]) == pytest.approx(medians.peak_mib["ours"] / 1024, abs=0.005)
    assert float(ours["kNN preservation (%)"]) == pytest.approx(100 * medians.knn_preservation_10["ours"], abs=0.05)
    assert float(ours["kNN accuracy (%)"]) == pytest.approx(100 * medians.knn_accuracy_map["ours"], abs=0.005)
    assert list(missing.values()) == ["bh_sne", *[""] * (len(HEAD) - 2), "0"]
    assert "Not measured:\n\n- **bh_sne**, pixel: not installed (no compiler)\n" in report(partial)


def test_layer_that_was_not_measured_has_no_table(table):
    table.loc[table.layer == "conv1", "seconds"] = np.nan
    assert "## conv1" not in report(table) and "## dense3 (200 dimensions)" in report(table)


def test_numbers_have_three_digits():
    values = (0.006, 1.234, 12.34, 99.94, 123.4, 12_345)
    assert [format_digits(value) for value in values] == ["0.01", "1.23", "12.3", "99.9", "123", "12,345"]
    assert [format_digits(value) for value in (10, 100)] == ["10.0", "100"]
    assert format_range(1, 2) == " [1.00-2.00]" and format_range(1, 1) == ""
    assert format_range(0.5, 0.75, ".1f") == " [0.5-0.8]"


def test_table_is_markdown():
    assert format_table([["", "b"], ["1", "2"]]) == "|  | b |\n|---|---|\n| 1 | 2 |"


def test_figure_has_a_panel_for_each_layer_and_names_the_peers_that_were_not_measured(partial):
    axes = plot(partial).axes
    assert [panel.get_title(loc="left") for panel in axes] == [
        "pixel (784 dimensions)",
        "conv1 (3,920 dimensions)",
        "dense3 (200 dimensions)",
    ]
    names = [PEERS[peer].name for peer in ("ours", "openTSNE", "sklearnex", "bh_sne")]
    assert [label.get_text() for label in axes[0].get_yticklabels()] == names
    remarks = [[text.get_text() for text in panel.texts] for panel in axes]
    assert [texts.count("not measured") for texts in remarks] == [1, 0, 0]
    assert [texts.count("not run") for texts in remarks] == [0, 2, 2]
    median = partial.query("layer == 'pixel' and peer == 'ours'").kl_divergence.median()
    assert f"{median:.2f}" in remarks[0]


def test_figure_marks_the_times_of_each_peer_on_its_line(table):
    panel = plot(table).axes[0]
    ours = table.query("layer == 'pixel' and peer == 'ours'")
    marked = [line.get_xdata() for line in panel.lines if set(np.ravel(line.get_ydata())) == {0}]
    medians = [ours[column].median() for column in ("prepare_seconds", "optimize_seconds", "seconds")]
    assert np.allclose(
        np.concatenate([np.ravel(x) for x in marked]), [ours.seconds.min(), ours.seconds.max(), *medians]
    )
    assert panel.get_ylim() == (4.6, -0.6), "the first on top"


def test_published_page_and_figure_are_written_beside_the_table(table, tmp_path, monkeypatch):
    (tmp_path / "docs").mkdir()
    table.to_csv(tmp_path / "docs/benchmark.csv", index=False)
    monkeypatch.chdir(tmp_path)
    with matplotlib.rc_context():
        publish("benchmark", plot, report)
    assert (tmp_path / "docs/benchmark.md").read_text() == report(table)
    with Image.open(tmp_path / "docs/benchmark.png") as image:
        assert image.width == 2100
