"""What the colors of the points stand for, and the legend that filters."""

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from playwright.sync_api import Page

from common.figures.maps import find_frame
from explorer.browser import (
    find_lonely_image,
    get_state,
    locate_images,
    locate_map,
    read_map,
    read_pressed,
    switch_layer,
)
from explorer.page_input import COUNT, LAYERS, PageInput

pytestmark = pytest.mark.chromium

GRAY = to_rgb("#dddad3")
VIRIDIS_ENDS = to_rgb("#440154"), to_rgb("#fde725")


def color_by(page: Page, key: str) -> None:
    page.locator("#color").select_option(key)


def set_end(page: Page, end: str, value: float) -> None:
    """Move one end of the range."""
    page.locator(f"#{end}").evaluate("(input, value) => { input.value = value; input.oninput(); }", value)


def count_colored(page: Page) -> int:
    return int(page.locator("#status").text_content().split()[0].replace(",", ""))


def read_color(page: Page, digits: PageInput, image: int, layer: str = "pixel") -> np.ndarray:
    """Return the color of an image on the map, in [0, 1]."""
    x, y = (locate_images(page, digits, layer)[image] - locate_map(page)).astype(int)
    return read_map(page)[y, x] / 255


def scale(digits: PageInput, layer: str) -> np.ndarray:
    """Return the coordinates of a layer as shares of the map's width."""
    coordinates = digits.maps[[f"{layer}_x", f"{layer}_y"]].to_numpy()
    center, side = find_frame(coordinates)
    return (coordinates - center) / side


def test_all_colorings_are_offered(page):
    options = page.locator("#color option").all_text_contents()
    assert options[:7] == [
        *("Class", "Prediction", "Right or wrong", "Confidence"),
        *("Prediction depth", "Vote of the neighbors", "Split"),
    ]
    assert options[7:] == [f"{what} {layer}" for layer in LAYERS for what in ("Moved from", "Neighbors shared with")]
    page.keyboard.press("c")
    assert page.evaluate("document.activeElement.id") == "color"


def test_confidence_is_shown_by_a_ramp_and_its_range_filters(page, digits):
    color_by(page, "confidence")
    assert page.locator("#range").text_content() == "0 to 100 %" and page.locator("#legend").is_hidden()
    confidence = digits.maps.confidence.to_numpy()
    low, high = (
        find_lonely_image(digits, "pixel", np.flatnonzero(among)) for among in (confidence < 0.4, confidence > 0.97)
    )
    assert np.abs(read_color(page, digits, high) - VIRIDIS_ENDS[1]).max() < 0.2
    assert np.linalg.norm(read_color(page, digits, low) - VIRIDIS_ENDS[1]) > 0.5
    set_end(page, "low", 80)
    assert page.locator("#range").text_content() == "80 to 100 %"
    assert count_colored(page) == (confidence >= 0.8).sum()
    assert np.abs(read_color(page, digits, low) - GRAY).max() < 0.1
    set_end(page, "high", 60)  # which pushes the other end
    assert page.locator("#range").text_content() == "60 to 60 %" and get_state(page, "range") == [60, 60]
    page.keyboard.press("Escape")
    assert get_state(page, "range") is None and page.locator("#range").text_content() == "0 to 100 %"


def test_entries_of_a_legend_filter_with_the_classes(page, digits):
    color_by(page, "depth")
    chips = page.locator("#legend button")
    assert chips.all_text_contents() == [*LAYERS, "network"] and page.locator("#ramp").is_hidden()
    chips.nth(1).click()
    is_second = (digits.maps.prediction_depth == LAYERS[1]).to_numpy()
    assert read_pressed(page, "#legend button") == [False, True, False, False]
    assert count_colored(page) == is_second.sum()
    page.locator("#classes button", has_text="3").click()
    assert count_colored(page) == (is_second & (digits.maps.label == 3)).sum()
    color_by(page, "outcome")  # Entries of another coloring are no filter any more.
    assert count_colored(page) == (digits.maps.label == 3).sum()


@pytest.mark.parametrize(("key", "column"), [("prediction", "prediction"), ("vote", "conv1_knn")])
def test_predictions_and_votes_have_the_colors_of_the_classes(page, digits, key, column):
    switch_layer(page, "2")
    color_by(page, key)
    other = np.flatnonzero(digits.maps[column] != digits.maps.label)
    image = find_lonely_image(digits, "conv1", other)
    expected = to_rgb(page.evaluate(f"explorer.data.colors[{digits.maps[column][image]}]"))
    page.locator("#legend button").nth(int(digits.maps[column][image])).click()
    assert np.abs(read_color(page, digits, image, "conv1") - expected).max() < 0.2


def test_layers_are_compared_by_the_distance_moved(page, digits):
    switch_layer(page, "2")
    color_by(page, "moved:pixel")
    set_end(page, "low", 30)
    distances = 100 * np.linalg.norm(scale(digits, "conv1") - scale(digits, "pixel"), axis=1)
    assert count_colored(page) == pytest.approx((distances >= 30).sum(), abs=1)
    assert page.locator("#range").text_content() == "30 to 100 % of the map"
    switch_layer(page, "3")
    distances = 100 * np.linalg.norm(scale(digits, "dense3") - scale(digits, "pixel"), axis=1)
    assert count_colored(page) == pytest.approx((distances >= 30).sum(), abs=1)


def test_layers_are_compared_by_shared_neighbors(page, digits):
    color_by(page, "shared:conv1")
    set_end(page, "high", 0)
    pairs = zip(digits.neighbors["pixel"], digits.neighbors["conv1"], strict=True)
    assert count_colored(page) == sum(not set(one) & set(other) for one, other in pairs) > 0
    switch_layer(page, "2")
    assert count_colored(page) == 0, "all are shared with the layer itself"


def test_coloring_and_its_filters_are_in_the_address(page, open_page):
    color_by(page, "confidence")
    set_end(page, "low", 75)
    assert page.evaluate("location.hash") == "#layer=pixel&color=confidence&range=75%2C100"
    other = open_page(page.url)
    assert count_colored(other) == count_colored(page) < COUNT
    assert other.locator("#color").input_value() == "confidence" and other.locator("#low").input_value() == "75"
    color_by(page, "split")
    page.locator("#legend button", has_text="Test").click()
    assert page.evaluate("location.hash") == "#layer=pixel&color=split&show=Test"
    page.go_back()
    page.wait_for_function("explorer.state.entries.size === 0")
    page.go_back()
    page.wait_for_function("explorer.state.coloring === 'confidence'")
    assert page.locator("#range").text_content() == "75 to 100 %"


@pytest.mark.parametrize("fragment", ["color=size", "color=confidence&range=5,1", "show=Test", "color=split&range=0,1"])
def test_coloring_that_is_not_on_the_page_is_named(open_page, address, fragment):
    page = open_page(f"{address}#{fragment}")
    assert page.locator("#status").text_content().startswith("Not on this page: ")
    assert page.errors == []


def test_filter_in_another_theme_and_on_a_phone(open_page, address, digits):
    page = open_page(f"{address}#color=confidence", color_scheme="dark", viewport={"width": 390, "height": 844})
    set_end(page, "low", 90)
    assert count_colored(page) == (digits.maps.confidence >= 0.9).sum()
    box = page.locator("#ramp").bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= 390
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    dark = page.locator("#bar").evaluate("bar => bar.style.background")
    assert "rgb(68, 1, 84)" not in dark, "it could not be seen on a dark page"
    page.emulate_media(color_scheme="light")
    page.wait_for_function("document.getElementById('bar').style.background.includes('rgb(68, 1, 84)')")
    assert page.errors == []


def test_points_keep_their_colors_while_they_move(page, digits):
    color_by(page, "outcome")
    page.keyboard.press("3")
    page.locator("#legend button", has_text="wrong").click()  # while they move
    page.wait_for_function("explorer.state.progress === 1")
    assert count_colored(page) == len(digits.wrong)
    image = find_lonely_image(digits, "dense3", digits.wrong)
    assert np.abs(read_color(page, digits, image, "dense3") - to_rgb("#bd1f01")).max() < 0.2
    right = find_lonely_image(digits, "dense3", np.setdiff1d(np.arange(COUNT), digits.wrong))
    assert np.abs(read_color(page, digits, right, "dense3") - GRAY).max() < 0.15
