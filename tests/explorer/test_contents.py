"""What is done with a selection: it grows and shrinks, its contents are shown, and it is exchanged as a file."""

import json

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import Page

from explorer.browser import drag_mouse, get_state, locate_images
from explorer.page_input import COUNT, TRAIN, VALIDATION

pytestmark = pytest.mark.chromium


def draw_lasso(page: Page, corners: list[tuple[int, int]]) -> None:
    page.mouse.move(*corners[0])
    page.mouse.down()
    for start, end in zip(corners, [*corners[1:], corners[0]], strict=True):
        for share in np.linspace(0.1, 1, 10):
            page.mouse.move(*(a + share * (b - a) for a, b in zip(start, end, strict=True)))
            page.wait_for_timeout(20)  # The library reads the mouse at intervals.
    page.mouse.up()


def import_file(page: Page, name: str, text: str) -> str:
    """Import a file; return what the page says."""
    page.locator("#file").set_input_files({"name": name, "mimeType": "text/plain", "buffer": text.encode()})
    page.wait_for_function("document.getElementById('imported').textContent !== ''")
    return page.locator("#imported").text_content()


def test_lasso_selects_what_is_in_it(page, digits):
    page.keyboard.press("l")
    assert page.locator("#lasso").get_attribute("aria-pressed") == "true"
    top, left, right = (500, 200), (350, 560), (650, 560)
    draw_lasso(page, [top, right, left])
    selection = get_state(page, "selection")
    x, y = locate_images(page, digits, "pixel").T
    inside = (y < 550) & (np.abs(x - 500) < 150 * (y - 200) / 360 - 8)
    outside = (y > 565) | (np.abs(x - 500) > 150 * (y - 200) / 360 + 8)
    assert set(np.flatnonzero(inside)) <= set(selection) and not set(selection) & set(np.flatnonzero(outside))
    assert inside.sum() > 50
    page.keyboard.press("b")  # one tool at a time
    assert page.locator("#lasso").get_attribute("aria-pressed") == "false"


def test_selections_are_added_and_removed(page, digits):
    page.evaluate("explorer.select([0, 1, 2])")
    page.locator("#joining button", has_text="add").click()
    page.locator("#classes button", has_text="3").click()
    page.evaluate("explorer.state.selection = [0, 1, 2]")  # The filter has taken away those that are gray.
    page.keyboard.press("v")
    threes = np.flatnonzero(digits.maps.label == 3).tolist()
    assert get_state(page, "selection") == sorted({0, 1, 2} | set(threes))
    page.locator("#joining button", has_text="remove").click()
    page.keyboard.press("b")
    drag_mouse(page, (60, 70), (940, 795))
    assert get_state(page, "selection") == [image for image in (0, 1, 2) if image not in threes]


def test_contents_are_counted_by_split_label_and_prediction(page, digits):
    images = [*range(40), *digits.wrong.tolist(), COUNT - 1]
    images = sorted(set(images))
    page.evaluate(f"explorer.select({images})")
    maps = digits.maps.loc[images]
    counts = maps.split.value_counts()
    assert page.locator("#counts").text_content() == ", ".join(f"{count} {split}" for split, count in counts.items())
    rows = [row.split("\t") for row in page.locator("#table").inner_text().splitlines()]
    assert rows[0] == ["label", "prediction", "images"]
    pairs = maps.groupby(["label", "prediction"]).size()
    assert all(pairs[int(label), int(prediction)] == int(count) for label, prediction, count in rows[1:])
    assert [int(count) for *_, count in rows[1:]] == pairs.sort_values(ascending=False).tolist()[:12]
    assert page.locator("#more").text_content() == (f"and {len(pairs) - 12} more rows" if len(pairs) > 12 else "")
    page.keyboard.press("Escape")
    assert page.locator("#contents").is_hidden()


def test_gallery_is_sorted_and_an_image_in_it_can_be_pinned(page, digits):
    page.evaluate(f"explorer.select({list(range(TRAIN))})")
    buttons = page.locator("#gallery button")
    assert buttons.count() == 60 and page.locator("#rest").text_content() == "60 of 1,500 are shown."
    page.locator("#order").select_option("confidence")
    order = np.argsort(np.rint(10_000 * digits.maps.confidence[:TRAIN]), kind="stable")
    titles = buttons.evaluate_all("all => all.map(one => one.title)")
    assert titles == [f"{digits.maps.label[image]} train {image}" for image in order[:60]]
    buttons.nth(3).click()
    assert get_state(page, "pinned") == order[3]


def test_exported_json_has_the_address_and_can_be_imported(page, open_page, address, digits):
    page.keyboard.press("w")
    page.keyboard.press("v")
    with page.expect_download() as download:
        page.get_by_role("button", name="Export as JSON").click()
    text = download.value.path().read_text()
    exported = json.loads(text)
    assert exported["dataset"] == "Digits" and exported["address"] == "#layer=pixel&only=wrong"
    assert pd.DataFrame(exported["images"])[["id", "split"]].equals(
        digits.maps.loc[digits.wrong, ["id", "split"]].reset_index(drop=True)
    )
    other = open_page(address)
    assert import_file(other, "ids.json", text) == f"{len(digits.wrong)} imported"
    assert get_state(other, "selection") == digits.wrong.tolist()


def test_exported_ids_can_be_imported_and_what_is_missing_is_named(page):
    page.evaluate(f"explorer.select([5, {TRAIN + VALIDATION}])")
    table = page.evaluate("explorer.csv()")
    page.evaluate("explorer.select([])")
    assert import_file(page, "ids.csv", table.replace("\n", "\r\n")) == "2 imported"
    assert get_state(page, "selection") == [5, TRAIN + VALIDATION]
    page.locator("#imported").evaluate("output => { output.textContent = '' }")
    said = import_file(page, "ids.csv", 'split,note,id\ntrain,"a, ""b""",7\ntest,,200\ntest,,<b>\n')
    assert said == "1 imported, 2 are not on this page: test:200, test:<b>" and get_state(page, "selection") == [7]


def test_imported_images_that_are_gray_are_not_selected_and_counted(page, digits):
    page.locator("#classes button", has_text="3").click()
    threes = np.flatnonzero(digits.maps.label[:50] == 3)
    said = import_file(page, "ids.csv", "id,split\n" + "".join(f"{image},train\n" for image in range(50)))
    assert said == f"{len(threes)} imported, {50 - len(threes)} are gray or hidden"
    assert get_state(page, "selection") == threes.tolist()


@pytest.mark.parametrize("text", ["", "id\n3\n", "number,split\n1,train\n", "{", '{"images": 3}', '{"images": [null]}'])
def test_file_without_ids_is_refused_and_changes_nothing(page, text):
    page.evaluate("explorer.select([1])")
    assert import_file(page, "ids.csv", text) == "The file needs the columns id and split, as the export has them."
    assert get_state(page, "selection") == [1]
