"""The maps of the layers: points lie at their coordinates and move from one map to another."""

from dataclasses import replace

import numpy as np
import pytest

from common.figures.palette import class_colors
from explorer.browser import (
    find_colored,
    find_lonely_image,
    get_state,
    locate_images,
    locate_map,
    point_at,
    read_map,
    read_pressed,
    switch_layer,
)
from explorer.page_input import COUNT, LAYERS

pytestmark = pytest.mark.chromium


def test_switch_moves_each_image_to_its_place_in_the_other_map(page, digits):
    image = find_lonely_image(digits, "conv1", np.arange(COUNT))
    before, after = (locate_images(page, digits, layer)[image] for layer in ("pixel", "conv1"))
    assert np.linalg.norm(after - before) > 50

    page.keyboard.press("2")
    page.wait_for_function("explorer.state.progress > 0 && explorer.state.progress < 1")
    progress, *position = page.evaluate(f"[explorer.state.progress, ...explorer.place({image})]")
    assert 0 < progress < 1
    assert np.allclose(np.add(position, locate_map(page)), before + progress * (after - before), atol=0.5)

    page.wait_for_function("explorer.state.progress === 1")
    point_at(page, after)
    assert get_state(page, "hovered") == image
    point_at(page, before)
    assert get_state(page, "hovered") != image


def test_points_are_drawn_at_their_places(page, digits):
    for key, layer in (("3", "dense3"), ("1", "pixel")):
        switch_layer(page, key)
        image = find_lonely_image(digits, layer, np.arange(COUNT))
        x, y = (locate_images(page, digits, layer)[image] - locate_map(page)).round().astype(int)
        color = 255 * class_colors("petroff10", 10)[digits.maps.label[image]]
        assert np.abs(read_map(page)[y, x] - color).max() < 40
    colored = find_colored(page, digits, np.arange(COUNT))
    for label in range(10):  # Some points of each class lie under others.
        assert colored[digits.maps.label == label].mean() > 0.4


def test_layers_asked_for_in_a_hurry_end_at_the_last(page):
    for key in "231":
        page.keyboard.press(key)
    page.keyboard.press("3")
    page.wait_for_function("explorer.state.map === 2 && explorer.state.progress === 1")
    assert read_pressed(page, "#layers button") == [False, False, True]


@pytest.mark.parametrize("width", [1280, 390])
def test_many_layers_are_a_list_that_leaves_room_for_the_map(open_data, digits, width):
    names = [f"a network of a comparison: layer{number}" for number in range(16)]
    maps = [replace(digits.embeddings[number % 3], layer=name) for number, name in enumerate(names)]
    page = open_data(replace(digits, earlier=maps).make_data())
    page.set_viewport_size({"width": width, "height": 800})
    assert page.locator("#layers option").all_text_contents() == [*LAYERS, *names]
    assert not page.locator("#layers button").count()
    assert page.locator("header").bounding_box()["height"] < 200
    assert page.evaluate("document.documentElement.scrollWidth") <= width

    page.locator("#layers select").select_option(names[-1])
    page.wait_for_function("explorer.state.map === 18 && explorer.state.progress === 1")
    page.locator("#layers select").blur()
    page.keyboard.press("ArrowLeft")
    page.wait_for_function("explorer.state.map === 17 && explorer.state.progress === 1")
    assert page.locator("#layers select").input_value() == names[-2]


def test_reduced_motion_switches_at_once(open_page, address):
    page = open_page(address, reduced_motion="reduce")
    assert page.evaluate("(explorer.show(1), explorer.state.progress)") == 1
