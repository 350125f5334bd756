"""The selection: a box selects images, and their ids are exported."""

import io

import numpy as np
import pandas as pd
import pytest

from explorer.browser import drag_mouse, get_state, locate_images, pin_at
from explorer.page_input import COUNT, TRAIN, VALIDATION, PageInput

pytestmark = pytest.mark.chromium


def find_images_in_box(
    digits: PageInput, positions: np.ndarray, start: tuple[int, int], end: tuple[int, int], slack: int
) -> set[tuple[str, int]]:
    """Return the split and the id of each image that is inside a box by more than `slack` pixels."""
    is_inside = ((positions > np.add(start, slack)) & (positions < np.subtract(end, slack))).all(axis=1)
    return {(digits.maps.split[image], digits.maps.id[image]) for image in np.flatnonzero(is_inside)}


@pytest.mark.parametrize("way", ["box", "shift"])
def test_box_selects_what_is_in_it_and_exports_its_ids(page, digits, way):
    start, end = (400, 250), (640, 460)
    if way == "box":
        page.get_by_role("button", name="Box").click()
    else:
        page.keyboard.down("Shift")
    drag_mouse(page, start, end)
    page.keyboard.up("Shift")
    with page.expect_download() as download:
        page.get_by_role("button", name="Export ids").click()
    assert download.value.suggested_filename == "Digits_pixel_selection.csv"
    table = pd.read_csv(download.value.path())
    assert list(table.columns) == ["id", "split", "label", "prediction"]

    positions = locate_images(page, digits, "pixel")
    required, allowed = (find_images_in_box(digits, positions, start, end, slack) for slack in (4, -4))
    rows = set(zip(table.split, table.id, strict=True))
    assert len(rows) == len(table) and required <= rows <= allowed  # The box may begin a pixel or two late.
    assert len(required) > 100 and {split for split, _ in rows} == {"train", "validation", "test"}
    assert page.locator("#selected").text_content().startswith(f"{len(table)} images")

    page.get_by_role("button", name="Clear").click()
    assert get_state(page, "selection") == [] and page.get_by_role("button", name="Export ids").is_disabled()


def test_exported_table_has_the_split_of_each_image_and_the_number_in_it(page, digits):
    images = [0, TRAIN - 1, TRAIN, TRAIN + VALIDATION - 1, TRAIN + VALIDATION, COUNT - 1]
    page.evaluate(f"explorer.select({images})")
    table = pd.read_csv(io.StringIO(page.evaluate("explorer.csv()")))
    assert table.split.tolist() == ["train"] * 2 + ["validation"] * 2 + ["test"] * 2
    assert table.id.tolist() == [0, 1499, 0, 96, 0, 199]
    assert table.equals(digits.maps.loc[images, list(table.columns)].reset_index(drop=True))


def test_box_takes_only_what_is_in_color_and_a_click_keeps_it(page, digits):
    page.locator("#classes button", has_text="3").click()
    page.keyboard.press("b")
    drag_mouse(page, (300, 150), (800, 700))
    selection = get_state(page, "selection")
    assert len(selection) > 20 and set(digits.maps.label[selection]) == {3}
    pin_at(page, locate_images(page, digits, "pixel")[selection[0]])
    assert get_state(page, "pinned") in selection and get_state(page, "selection") == selection
    assert sorted(page.evaluate("explorer.plot.get('selectedPoints')")) == selection
    page.keyboard.press("Escape")
    assert get_state(page, "pinned") == -1 and get_state(page, "selection") == selection
    page.keyboard.press("Escape")
    assert get_state(page, "selection") == []
    page.keyboard.press("Escape")
    assert page.locator("#status").text_content() == "1,797 images, all in color"
