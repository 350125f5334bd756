"""Pointing at images and pinning them."""

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from explorer.browser import (
    find_lonely_image,
    get_state,
    locate_images,
    locate_map,
    pin_at,
    point_at,
    read_canvas,
    read_titles,
    switch_layer,
)
from explorer.page_input import COUNT, TRAIN, VALIDATION

pytestmark = pytest.mark.chromium


def locate_rings(page: Page) -> np.ndarray:
    """Return the positions in the window of the rings around neighbors, (10, 2)."""
    script = (
        "all => all.filter(one => one.r.baseVal.value < 5).map(one => [one.cx.baseVal.value, one.cy.baseVal.value])"
    )
    return page.locator("#marks circle").evaluate_all(script) + locate_map(page)


def test_hover_shows_the_image_its_label_prediction_and_neighbors(page, digits):
    image = find_lonely_image(digits, "pixel", np.arange(COUNT))
    point_at(page, locate_images(page, digits, "pixel")[image])
    row = digits.maps.iloc[image]
    facts = ["Label", str(row.label), "Prediction", f"{row.prediction}, {100 * row.confidence:.1f} %"]
    assert page.locator("#facts > *").all_text_contents()[:4] == facts
    levels = np.rint(digits.images[image] * 15) * 17
    for canvas in ("#image", "#tip"):
        assert np.array_equal(read_canvas(page, canvas), np.repeat(levels, 3, axis=2))
    neighbors = digits.neighbors["pixel"][image, :10]
    assert read_titles(page) == [f"{digits.maps.label[neighbor]}, no. {neighbor}" for neighbor in neighbors]
    first = read_canvas(page, "#neighbors canvas")
    assert np.array_equal(first[:, :, 0], np.rint(digits.images[neighbors[0], :, :, 0] * 15) * 17)
    page.mouse.move(5, 5)
    expect(page.locator("#about")).to_be_hidden()


@pytest.mark.parametrize(
    ("image", "facts"),
    [
        (0, ["Training", "no. 0"]),
        (TRAIN - 1, ["Training", "no. 1499"]),
        (TRAIN, ["Validation", "no. 0"]),
        (TRAIN + VALIDATION - 1, ["Validation", "no. 96"]),
        (TRAIN + VALIDATION, ["Test", "no. 0"]),
        (COUNT - 1, ["Test", "no. 199"]),
    ],
)
def test_card_says_the_split_of_an_image_and_its_number_in_it(page, image, facts):
    page.evaluate(f"explorer.pin({image})")
    assert page.locator("#facts > *").all_text_contents()[-2:] == facts


def test_click_pins_and_marks_neighbors_in_every_layer(page, digits):
    image = find_lonely_image(digits, "pixel", np.arange(COUNT))
    pin_at(page, locate_images(page, digits, "pixel")[image])
    page.mouse.move(5, 5)
    for key, layer in (("1", "pixel"), ("2", "conv1"), ("3", "dense3")):
        switch_layer(page, key)
        assert get_state(page, "pinned") == image
        assert page.locator("#facts dd").last.text_content() == f"no. {digits.maps.id[image]}"
        neighbors = digits.neighbors[layer][image, :10]
        assert np.allclose(locate_rings(page), locate_images(page, digits, layer)[neighbors], atol=0.5)
    page.keyboard.press("Escape")
    assert get_state(page, "pinned") == -1
    expect(page.locator("#marks line").first).to_be_hidden()


def test_click_on_a_neighbor_pins_it(page, digits):
    page.keyboard.press("r")
    image = get_state(page, "pinned")
    page.locator("#neighbors button").nth(3).press("Enter")
    assert get_state(page, "pinned") == digits.neighbors["pixel"][image, 3]
    assert page.evaluate("document.activeElement.parentElement.id") == "neighbors"


def test_image_in_color_is_found_among_gray_ones(page, digits):
    page.keyboard.press("w")
    for image in digits.wrong:
        point_at(page, locate_images(page, digits, "pixel")[image])
        found = get_state(page, "hovered")
        assert found in digits.wrong
        assert np.linalg.norm(np.subtract(*locate_images(page, digits, "pixel")[[found, image]])) < 1


def test_image_in_color_is_found_as_soon_as_the_mouse_is_near(page, digits):
    positions = locate_images(page, digits, "pixel")
    page.keyboard.press("w")

    def find_nearest(position: np.ndarray, among: np.ndarray) -> tuple[int, float]:
        distances = np.linalg.norm(positions[among] - position, axis=1)
        return int(among[distances.argmin()]), distances.min()

    tried = 0
    for image in digits.wrong:
        for angle in np.linspace(0, 2 * np.pi, 16):
            direction = np.array([np.cos(angle), np.sin(angle)])
            far, near = (positions[image] + distance * direction for distance in (14, 7))
            nearest = {find_nearest(position, np.arange(COUNT))[0] for position in (far, near)}
            if len(nearest) > 1 or nearest & set(digits.wrong) or find_nearest(far, digits.wrong)[1] <= 13:
                continue
            # The same gray image is the nearest at both positions.
            page.mouse.move(*far)
            assert get_state(page, "hovered") == -1
            page.mouse.move(*near)
            assert get_state(page, "hovered") == find_nearest(near, digits.wrong)[0]
            tried += 1
    assert tried
