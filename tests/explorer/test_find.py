"""Ways to an image: by its number, by its name, and from one wrong prediction to the next."""

import numpy as np
import pytest
from playwright.sync_api import Page

from explorer.browser import get_state
from explorer.page_input import COUNT, TRAIN, VALIDATION

pytestmark = pytest.mark.chromium


def find(page: Page, text: str) -> tuple[int, str]:
    """Write a text into the field and press Enter; return the pinned image, and what is said beside the field."""
    page.keyboard.press("/")
    page.locator("#find").fill(text)
    page.keyboard.press("Enter")
    return get_state(page, "pinned"), page.locator("#found").text_content()


@pytest.mark.parametrize(
    ("text", "image", "found"),
    [
        ("14", 14, "1 of 3"),
        ("test 14", TRAIN + VALIDATION + 14, "1 of 1"),
        ("Validation:14", TRAIN + 14, "1 of 1"),
        ("1499", 1499, "1 of 1"),
        ("1500", -1, "not found"),
        ("constructor 1", -1, "not found"),
        ("<img>", -1, "not found"),
    ],
)
def test_image_is_found_by_its_number(page, text, image, found):
    assert find(page, text) == (image, found)
    assert page.locator("#facts").is_visible() == (image >= 0)


def test_enter_goes_on_and_letters_are_no_commands(page):
    assert find(page, "14")[0] == 14
    page.keyboard.press("Enter")
    assert get_state(page, "pinned") == TRAIN + 14 and page.locator("#found").text_content() == "2 of 3"
    page.locator("#find").press_sequentially("wr")
    assert not get_state(page, "wrong") and get_state(page, "pinned") == TRAIN + 14
    page.keyboard.press("Escape")
    page.keyboard.press("w")
    assert get_state(page, "wrong")


def test_image_is_found_by_its_name(digits, open_data):
    names = [f"scans/{number:04d}.png" for number in range(COUNT)]
    data = type(digits)(digits.maps.assign(file=names), digits.images, digits.neighbors).make_data()
    page = open_data(data)
    assert find(page, "SCANS/0042") == (42, "1 of 1")
    assert find(page, "scans/179")[1] == "1 of 7"


def test_map_moves_to_an_image_out_of_view(page):
    for _ in range(8):
        page.keyboard.press("+")
        page.wait_for_timeout(50)
    box = page.locator("#points").bounding_box()
    places = np.array(page.evaluate(f"Array.from({{length: {COUNT}}}, (_, image) => explorer.place(image))"))
    outside = int(np.flatnonzero((places < 0).any(axis=1) & (np.arange(COUNT) < TRAIN))[0])
    find(page, f"train {outside}")
    page.wait_for_function(
        f"Math.hypot(explorer.place({outside})[0] - {box['width'] / 2}, "
        f"explorer.place({outside})[1] - {box['height'] / 2}) < 3"
    )


def test_errors_are_pinned_one_after_the_other_the_most_confident_first(page, digits):
    wrong = digits.wrong
    confidence = np.rint(10_000 * digits.maps.confidence.to_numpy()[wrong])
    expected = wrong[np.lexsort([wrong, -confidence])]
    for image in [*expected[:3]]:
        page.keyboard.press("n")
        assert get_state(page, "pinned") == image
    page.evaluate(f"explorer.pin({expected[-1]})")
    page.get_by_role("button", name="Next").click()
    assert get_state(page, "pinned") == expected[0]
