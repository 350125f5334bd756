"""Through training: the slider moves the points from epoch to epoch, and the training can be played."""

from dataclasses import replace

import numpy as np
import pytest
from build_explorer import scale_map
from playwright.sync_api import Page, expect

from explorer.browser import get_state, switch_layer
from explorer.page_input import PageInput, embed_earlier

pytestmark = pytest.mark.chromium


@pytest.fixture(scope="module")
def trained(digits) -> PageInput:
    return replace(digits, earlier=embed_earlier(digits))


@pytest.fixture
def trained_page(open_data, trained) -> Page:
    return open_data(trained.make_data())


def wait_for_map(page: Page, number: int) -> None:
    page.wait_for_function(f"explorer.state.map === {number} && explorer.state.progress === 1")


def test_without_earlier_epochs_there_is_no_slider(page):
    expect(page.locator("#epochs")).to_be_hidden()


def test_slider_has_the_epochs_of_the_layer(trained_page):
    assert trained_page.locator("#epoch").is_disabled(), "pixels are the same in all epochs"
    assert trained_page.locator("#after").text_content() == "the same in all epochs"
    switch_layer(trained_page, "2")
    slider = trained_page.locator("#epoch")
    assert slider.is_enabled() and slider.get_attribute("max") == "2" and slider.input_value() == "2"
    assert trained_page.locator("#after").text_content() == "after training"


def test_slider_moves_the_points_to_their_places_after_an_epoch(trained_page, trained):
    switch_layer(trained_page, "2")
    for value, number, text, embedding in ((0, 3, "before training", 0), (1, 4, "epoch 1", 1)):
        trained_page.locator("#epoch").evaluate("(one, value) => { one.value = value; one.oninput(); }", value)
        wait_for_map(trained_page, number)
        assert trained_page.locator("#after").text_content() == text
        assert trained_page.locator("#epoch").get_attribute("aria-valuetext") == text
        coordinates = scale_map(trained.earlier[embedding].coordinates)
        x, y = trained_page.evaluate("[explorer.maps[explorer.state.map].x[7], explorer.maps[explorer.state.map].y[7]]")
        assert np.allclose([x, y], coordinates[7], atol=1e-4)
    assert trained_page.evaluate("location.hash") == "#layer=conv1&epoch=1"
    neighbors = trained_page.evaluate("[...explorer.maps[4].neighbors.slice(70, 80)]")
    assert neighbors == trained.earlier[1].neighbors[7].tolist()


def test_layer_keeps_the_epoch_and_arrows_change_it(trained_page):
    switch_layer(trained_page, "2")
    trained_page.keyboard.press("ArrowDown")
    wait_for_map(trained_page, 4)
    trained_page.keyboard.press("3")
    wait_for_map(trained_page, 6)  # dense3 after epoch 1
    trained_page.keyboard.press("ArrowDown")
    wait_for_map(trained_page, 5)
    trained_page.keyboard.press("ArrowDown")  # There is no earlier one.
    trained_page.keyboard.press("1")
    wait_for_map(trained_page, 0)
    trained_page.keyboard.press("3")
    wait_for_map(trained_page, 2)


def test_play_shows_all_epochs_and_ends(trained_page):
    switch_layer(trained_page, "2")
    trained_page.evaluate("explorer.seen = []; setInterval(() => explorer.seen.push(explorer.state.map), 20)")
    trained_page.keyboard.press("t")
    assert trained_page.locator("#play").text_content() == "Stop"
    trained_page.wait_for_function("document.getElementById('play').textContent === 'Play'")
    seen = trained_page.evaluate("explorer.seen.filter((map, at, all) => map !== all[at - 1])")
    assert seen[-3:] == [3, 4, 1] and get_state(trained_page, "map") == 1


def test_play_can_be_stopped(trained_page):
    switch_layer(trained_page, "2")
    trained_page.locator("#play").click()
    trained_page.wait_for_function("explorer.state.map === 3")  # The points are on their way to the first epoch.
    trained_page.keyboard.press("t")
    wait_for_map(trained_page, 3)
    trained_page.wait_for_timeout(2000)
    assert get_state(trained_page, "map") == 3 and trained_page.locator("#play").text_content() == "Play"


def test_colorings_compare_with_every_map(trained_page):
    options = trained_page.locator("#color option").all_text_contents()
    assert "Moved from conv1 before training" in options and "Neighbors shared with dense3, epoch 1" in options
