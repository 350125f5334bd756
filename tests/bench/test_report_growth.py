"""The page and the figure of the growth."""

import numpy as np
import pandas as pd
import pytest
from growth import COLUMNS, STAGES
from report_growth import add_total, fit_line, fit_power_law, fit_ranges, plot, report, tabulate_exponents

from helpers import ROOT

POINTS = pd.Series([5_000, 20_000, 70_000, 200_000, 1_000_000])


@pytest.fixture
def table():
    """The measurements of the documentation."""
    return pd.read_csv(ROOT / "docs/growth.csv")


@pytest.fixture
def laws():
    """Rows whose seconds are powers of the number of images, of the divergence with another power from 70,000 on."""
    powers = {"neighbors": (1.5, 7), "affinities": (1.5, 5), "optimization": (1.5, 9), "divergence": (2, 11)}
    rows = [(n, stage, 1e-3 * n**power, 1, 1, peak) for n in POINTS for stage, (power, peak) in powers.items()]
    table = pd.DataFrame(rows, columns=["points", "stage", "seconds", "cpu_seconds", "process_seconds", "peak_mib"])
    is_later = (table.stage == "divergence") & (table.points > 70_000)
    table.loc[is_later, "seconds"] *= (table.points / 70_000) ** 0.5
    return table


def test_page_of_the_documentation_is_that_of_its_measurements(table):
    assert report(table) == (ROOT / "docs/growth.md").read_text()
    assert list(table.columns) == list(COLUMNS)


def test_fits_recover_the_law():
    assert fit_power_law(POINTS, 3e-4 * POINTS**1.12) == pytest.approx((1.12, 3e-4))
    assert fit_line(POINTS, 250 + 0.01 * POINTS) == pytest.approx((0.01, 250))
    one_is_off = (250 + 0.01 * POINTS).where(POINTS < 10**6, 20_000)
    assert fit_line(POINTS, one_is_off)[1] == pytest.approx(250, rel=0.2), "relative errors count"


def test_ranges_are_divided_at_the_images_of_mnist():
    assert fit_ranges(POINTS.to_numpy()) == [(5_000, 1_000_000), (5_000, 70_000), (70_000, 1_000_000)]
    for points in ([5_000, 70_000], [70_000, 200_000], [5_000, 60_000, 200_000]):
        assert fit_ranges(np.array(points)) == [(points[0], points[-1])]


def test_total_is_the_sum_of_the_times_and_the_largest_memory_without_the_divergence(laws):
    rows = add_total(laws)
    total = rows[rows.stage == "total"]
    assert total.seconds.tolist() == pytest.approx((3e-3 * POINTS**1.5).tolist())
    assert (total.peak_mib == 9).all() and (total.cpu_seconds == 3).all() and (total.process_seconds == 3).all()


def test_exponents_are_those_of_the_law_in_each_range(laws):
    table = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in tabulate_exponents(add_total(laws)).splitlines()
    ]
    assert table[0] == ["", "5,000 to 1,000,000", "5,000 to 70,000", "70,000 to 1,000,000"]
    assert table[2] == ["total", "1.50", "1.50", "1.50"]
    assert table[-1][0] == "divergence" and table[-1][2:] == ["2.00", "2.50"]


def test_range_with_one_measurement_has_no_exponent(laws):
    rows = laws[(laws.stage != "divergence") | (laws.points <= 70_000)]
    assert tabulate_exponents(add_total(rows)).splitlines()[-1] == "| divergence | 2.00 | 2.00 |  |"


def test_number_of_images_with_a_failed_stage_has_no_total_and_is_named(table):
    is_failed = (table.points == 200_000) & (table.stage == "optimization")
    table.loc[is_failed, ["seconds", "peak_mib"]] = np.nan
    table.note = table.note.astype(object).where(~is_failed, "failed with status -9: no output")
    rows = add_total(table)
    assert set(rows[rows.stage == "total"].points) == set(table.points) - {200_000}
    assert "Not measured:\n\n- 200,000 images, optimization: failed with status -9: no output\n" in report(table)


def test_page_has_a_section_for_each_stage(table):
    page = report(table)
    headings = [line.removeprefix("## ") for line in page.splitlines() if line.startswith("## ")]
    stages = [stage for stage in STAGES if stage in set(table.stage)]
    assert headings == ["Exponents", *stages, "total", "Columns", "Versions"]
    assert "an exact search" in page
    for stage in stages:
        assert f"\n\n{STAGES[stage].description}.\n\n" in page


def test_page_has_the_scores_of_the_embedding(table):
    table.loc[table.stage == "quality", ["knn_accuracy_map", "knn_preservation_10"]] = 0.97126, 0.3512
    section = report(table).split("## quality\n")[1].split("\n## ")[0]
    assert "| kNN accuracy (%) | kNN preservation (%) |" in section and "KL" not in section
    (line,) = (line for line in section.splitlines() if line.startswith("| 50,000 |"))
    assert line.endswith("| 97.13 | 35.1 |")


def test_figure_shows_both_laws_of_a_stage_and_its_memory(laws):
    parts = plot(laws).subfigs
    seconds, memory = ([text.get_text() for text in part.legends[0].get_texts()] for part in parts)
    assert "divergence, $n^{2.00}$ then $n^{2.50}$" in seconds and len(seconds) == 5
    assert "neighbors, 0.0 KiB an image" in memory and len(memory) == 4


def test_figure_draws_the_measurements_and_their_fit(laws):
    laws.peak_mib = 300 + laws.points / 512
    seconds, memory = (part.axes[0] for part in plot(laws).subfigs)
    fit, _, marks = seconds.lines[:3]
    assert np.allclose(marks.get_ydata(), 1e-3 * POINTS**1.5) and np.allclose(fit.get_ydata(), 1e-3 * POINTS[:3] ** 1.5)
    fit, marks = memory.lines[:2]
    assert np.allclose(marks.get_ydata(), (300 + POINTS / 512) / 1024)
    assert np.allclose(fit.get_ydata(), (300 + fit.get_xdata() / 512) / 1024)
    assert [text.get_text() for text in seconds.get_xticklabels()] == [f"{n:,}" for n in POINTS]


def test_few_images_have_one_law(laws):
    few = laws[laws.points <= 70_000]
    assert plot(few).subfigs[0].legends[0].get_texts()[0].get_text() == "neighbors, $n^{1.50}$"
