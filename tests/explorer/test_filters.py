"""The filters: classes, wrong predictions and held-out images in color."""

import numpy as np
import pytest
from playwright.sync_api import expect

from explorer.browser import (
    count_pixels,
    find_colored,
    find_lonely_image,
    get_state,
    locate_images,
    pin_at,
    point_at,
    switch_layer,
)
from explorer.page_input import COUNT, TRAIN

pytestmark = pytest.mark.chromium


def test_class_singled_out_leaves_the_others_gray(page, digits):
    before = [count_pixels(page, label) for label in (0, 4)]
    button = page.locator("#classes button", has_text="4")
    button.click()
    assert button.get_attribute("aria-pressed") == "true"
    fours = np.flatnonzero(digits.maps.label == 4)
    assert page.locator("#status").text_content() == f"{len(fours)} of 1,797 images in color"
    assert before[0] > 0 and count_pixels(page, 0) == 0
    assert find_colored(page, digits, fours).all()  # Points in color lie above gray ones.

    zero = find_lonely_image(digits, "pixel", np.flatnonzero(digits.maps.label == 0))
    point_at(page, locate_images(page, digits, "pixel")[zero])
    hovered = get_state(page, "hovered")
    assert hovered == -1 or digits.maps.label[hovered] == 4
    page.locator("#classes button", has_text="7").click()
    button.click()
    assert count_pixels(page, 4) == 0 and count_pixels(page, 7) > 0  # as many kinds of points as before, but others
    page.locator("#classes button", has_text="7").click()
    assert count_pixels(page, 0) == before[0]


def test_wrong_predictions_alone_in_color(page, digits):
    page.keyboard.press("w")
    assert page.locator("#wrong").get_attribute("aria-pressed") == "true"
    assert page.locator("#status").text_content() == f"{len(digits.wrong)} of 1,797 images in color"
    assert page.locator("#misses").text_content() == str(len(digits.wrong))
    page.keyboard.press("v")
    assert get_state(page, "selection") == digits.wrong.tolist()
    page.mouse.move(*locate_images(page, digits, "pixel")[digits.wrong[0]])
    expect(page.locator("#facts .miss")).to_be_visible()


def test_few_in_color_are_large_each_of_them(page, digits):
    counts = digits.maps.label[digits.wrong].value_counts()
    first, second = counts.index[-2:]  # the rarest classes
    page.keyboard.press("w")
    page.locator("#classes button").nth(second).click()
    alone = count_pixels(page, second)
    page.keyboard.press("Escape")
    page.keyboard.press("w")
    page.locator("#classes button").nth(first).click()
    page.locator("#classes button").nth(second).click()
    assert alone > 200 * counts[second] and count_pixels(page, second) > 0.9 * alone


def test_heldout_images_can_be_told_apart_and_hidden(page, digits):
    image = find_lonely_image(digits, "pixel", np.arange(TRAIN, COUNT))
    page.get_by_role("button", name="only these").click()
    assert page.locator("#status").text_content() == "297 of 1,797 images in color"
    page.keyboard.press("v")
    assert get_state(page, "selection") == list(range(TRAIN, COUNT))
    pin_at(page, locate_images(page, digits, "pixel")[image])
    assert get_state(page, "pinned") == image and "Training" not in page.locator("#facts").text_content()

    page.get_by_role("button", name="hidden").click()
    assert page.locator("#status").text_content() == "1,500 images, all in color"
    assert get_state(page, "pinned") == -1 and get_state(page, "selection") == []
    point_at(page, locate_images(page, digits, "pixel")[image])
    assert get_state(page, "hovered") < TRAIN
    assert not find_colored(page, digits, np.array([image])).any()
    switch_layer(page, "2")  # The image stays hidden in other layers.
    switch_layer(page, "1")
    assert not find_colored(page, digits, np.array([image])).any()
    switch_layer(page, "2")
    other = find_lonely_image(digits, "conv1", np.arange(TRAIN, COUNT))
    point_at(page, locate_images(page, digits, "conv1")[other])
    assert get_state(page, "hovered") < TRAIN
    page.keyboard.press("v")
    assert get_state(page, "selection") == list(range(TRAIN))
