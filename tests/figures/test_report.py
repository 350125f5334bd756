"""`snakemake --report`, as a reader sees it: opened in Chromium, clicked through, looked at."""

import io
import re

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page

from helpers import LAYERS

pytestmark = [pytest.mark.slow, pytest.mark.chromium]

PARTS = {
    "1. Layers side by side": {
        "maps",
        "scores",
        "splits",
        "similarity",
        "prediction depth",
        "wrong and right",
        "images that change",
        "tables, configuration, versions",
    },
    "2. Maps": {"scatter plot", "thumbnails"},
    "3. Network": {"training", "filters of conv1"},
}

TABLES = 6  # place of the page of tables among the figures of the first part, which are sorted by name


@pytest.fixture(scope="module")
def report(finished, tmp_path_factory, chromium):
    """The page of the report in a browser without a network."""
    workflow = finished.copy(tmp_path_factory.mktemp("report") / "workflow")
    result = workflow.run("--report", "report.html")
    assert result.returncode == 0, result.stderr
    page = chromium.new_page(viewport={"width": 1280, "height": 900})
    requests = []
    page.route(re.compile("^https?:"), lambda route: (requests.append(route.request.url), route.abort()))
    page.goto((workflow.folder / "report.html").as_uri())
    yield page
    page.close()
    assert not requests, "the page needs no network"


def open_part(page: Page, part: str) -> None:
    """Open one part of the report, from its first page."""
    page.reload()
    page.get_by_text("Results", exact=True).first.wait_for()
    page.locator("nav").get_by_text(part).first.click()


def test_first_page_has_the_question_and_links_to_the_parts(report):
    report.reload()
    report.get_by_role("heading", name="What has each layer of a neural network learned?").wait_for()
    text = report.inner_text("body")
    assert all(part in text for part in PARTS)


@pytest.mark.parametrize("part", PARTS)
def test_each_part_lists_its_figures_by_name(report, part):
    open_part(report, part)
    text = report.inner_text("nav")
    assert all(figure in text for figure in PARTS[part])
    if part == "2. Maps":
        assert "KL DIVERGENCE" in text and "openTSNE 1.0.4" in text and all(layer in text for layer in LAYERS)


@pytest.mark.parametrize("part", PARTS)
def test_figures_are_visible(report, part):
    open_part(report, part)
    eyes = report.locator("a[iconname=eye]")
    figures = [number for number in range(eyes.count()) if (part, number) != ("1. Layers side by side", TABLES)]
    # scatter plots and thumbnails are a list each, the figures of the network are shown one at a time
    assert len(figures) == {"1. Layers side by side": 7, "2. Maps": len(LAYERS), "3. Network": 1}[part]
    for number in figures:
        open_part(report, part)
        eyes.nth(number).click()
        report.wait_for_function("[...document.images].some(image => image.naturalWidth > 500)")
        screen = Image.open(io.BytesIO(report.screenshot())).convert("HSV").crop((450, 0, 1280, 900))
        saturation = np.asarray(screen)[..., 1]
        assert (saturation > 60).mean() > 0.003, "the colors of the figure are not on the screen"


def test_caption_describes_the_figure_and_how_it_was_made(report):
    open_part(report, "2. Maps")
    report.locator("a[iconname=information-circle]").first.click()
    report.get_by_text("Each point is a training image").wait_for()
    assert re.search(r"KL divergence \d\.\d+: perplexity 15, 100 iterations", report.inner_text("nav"))


def test_summary_has_scores_methods_configuration_and_versions(report):
    open_part(report, "1. Layers side by side")
    report.locator("a[iconname=eye]").nth(TABLES).click()
    page = report.frame_locator("iframe").locator("body")
    page.get_by_text("trustworthiness").first.wait_for()
    text = page.inner_text()
    for part in ("dense3", "tsne.perplexity", "digits.pkl.gz", "tensorflow", "2.21.0", "We trained a convol"):
        assert part in text
