"""The picture of the map, as a PNG."""

import numpy as np
import pytest
from PIL import Image

from common.figures.palette import class_colors
from explorer.browser import locate_images, locate_map, switch_layer

pytestmark = pytest.mark.chromium

TITLE = 44  # pixels of the page


def save(page) -> tuple[str, np.ndarray]:
    """Press the key, and return the name of the file and its pixels, (height, width, 3)."""
    with page.expect_download() as download:
        page.keyboard.press("p")
    return download.value.suggested_filename, np.asarray(Image.open(download.value.path()).convert("RGB"), int)


def test_picture_shows_the_map_at_twice_the_resolution_with_title_and_legend(page, digits):
    switch_layer(page, "2")
    page.locator("#classes button", has_text="3").click()
    name, pixels = save(page)
    assert name == "Digits_conv1.png"
    box = page.locator("#points").bounding_box()
    height, width = pixels.shape[:2]
    assert width == 2 * box["width"] and 2 * (box["height"] + TITLE) < height < 2 * (box["height"] + TITLE + 80)
    colors = (255 * class_colors("petroff10", 10)).round()
    threes = np.flatnonzero(digits.maps.label == 3)
    x, y = (2 * (locate_images(page, digits, "conv1")[threes] - locate_map(page) + [0, TITLE])).round().astype(int).T
    shown = np.abs(pixels[y, x] - colors[3]).max(axis=1) < 40
    assert shown.mean() > 0.9, "a name may cover some"
    title, legend = pixels[: 2 * TITLE], pixels[int(2 * (TITLE + box["height"])) :]
    assert (title.max(axis=2) < 90).sum() > 200, "dark letters"
    assert (np.abs(legend - colors[3]).max(axis=2) < 12).sum() > 200
    assert not (np.abs(legend - colors[4]).max(axis=2) < 12).any(), "gray in the legend as in the map"


def test_marks_are_in_the_picture(page, digits):
    page.evaluate("explorer.pin(7)")
    _, pixels = save(page)
    x, y = 2 * np.add(page.evaluate("explorer.place(7)"), [0, TITLE])
    angles = np.linspace(0, 2 * np.pi, 60)
    ring = pixels[(y + 16 * np.sin(angles)).round().astype(int), (x + 16 * np.cos(angles)).round().astype(int)]
    assert (ring.max(axis=1) < 100).mean() > 0.8


def test_both_maps_are_in_the_picture(page):
    page.evaluate("explorer.beside(2)")
    page.wait_for_timeout(1000)
    _, pixels = save(page)
    main, other = (page.locator(one).bounding_box() for one in ("#points", "#beside canvas.points"))
    assert pixels.shape[1] == pytest.approx(2 * (main["width"] + other["width"]), abs=4)
    right = pixels[2 * TITLE : int(2 * (TITLE + main["height"])), int(2 * (other["x"] - main["x"])) :]
    colors = (255 * class_colors("petroff10", 10)).round()
    shown = [(np.abs(right - color).max(axis=2) < 12).sum() for color in colors]
    assert min(shown) > 500, "the points of all classes"


def test_images_in_place_of_points_are_in_the_picture(page):
    page.evaluate("explorer.plot.zoomToLocation([explorer.maps[0].x[7], explorer.maps[0].y[7]], 0.05)")
    page.wait_for_timeout(800)
    _, with_images = save(page)
    page.keyboard.press("i")
    page.wait_for_timeout(300)
    _, without = save(page)
    x, y = (2 * np.add(page.evaluate("explorer.place(7)"), [0, TITLE])).round().astype(int)
    grays = []
    for pixels in (with_images, without):
        around = pixels[y - 14 : y + 14, x - 14 : x + 14].reshape(-1, 3)
        grays.append(len(np.unique(around[np.ptp(around, axis=1) == 0], axis=0)))
    assert grays[0] > 5 > grays[1]
