"""Large data sets: the page has a sample of their rows, and says so; and texts of rows."""

import numpy as np
import pandas as pd
import pytest
from build_explorer import make_page_data
from playwright.sync_api import expect

from common.explorer.rows import choose_rows, renumber
from explorer.browser import get_state, locate_images, point_at, read_titles
from explorer.page_input import COUNT, DIGITS, TRAIN, PageInput

SAMPLE = 1000


def test_few_rows_are_all_there(digits: PageInput):
    assert choose_rows(digits.maps, COUNT).tolist() == list(range(COUNT))


def test_held_out_rows_and_errors_come_first_and_the_others_by_class(digits: PageInput):
    rows = choose_rows(digits.maps, SAMPLE)
    assert len(rows) == len(set(rows)) == SAMPLE and (np.diff(rows) > 0).all()
    first = np.flatnonzero((digits.maps.split != "train") | (digits.maps.prediction != digits.maps.label))
    assert set(first) < set(rows)
    others = np.setdiff1d(np.arange(COUNT), first)
    drawn = np.bincount(digits.maps.label[np.setdiff1d(rows, first)])
    expected = np.bincount(digits.maps.label[others]) * (SAMPLE - len(first)) / len(others)
    assert np.abs(drawn - expected).max() < 1
    assert np.array_equal(rows, choose_rows(digits.maps, SAMPLE)), "the same each time"


def test_too_many_held_out_rows_are_drawn_by_class_too(digits: PageInput):
    maps = digits.maps.assign(split="test")
    rows = choose_rows(maps, SAMPLE)
    assert len(set(rows)) == SAMPLE
    assert np.abs(np.bincount(maps.label[rows]) / np.bincount(maps.label) - SAMPLE / COUNT).max() < 0.01


def test_rows_without_labels_are_drawn_at_random(digits: PageInput):
    rows = choose_rows(digits.maps[["id", "split"]].assign(split="train"), SAMPLE)
    assert len(set(rows)) == SAMPLE and 0.4 < np.mean(rows < COUNT / 2) < 0.6


def test_neighbors_that_are_not_chosen_have_the_number_after_the_last():
    assert renumber(np.array([[0, 3], [5, 2]]), np.array([0, 2, 5])).tolist() == [[0, 3], [2, 1]]


@pytest.mark.chromium
def test_page_of_a_sample_says_so_and_keeps_the_numbers(open_data, digits: PageInput, monkeypatch):
    monkeypatch.setattr("build_explorer.MAX_ROWS", SAMPLE)
    rows = choose_rows(digits.maps, SAMPLE)
    page = open_data(digits.make_data())
    assert page.locator("#sample").text_content().startswith("1,000 of 1,797 images: held-out ones")
    assert page.locator("#status").text_content() == "1,000 images, all in color"
    place = len(rows) - 200  # the first test image
    page.evaluate(f"explorer.pin({place})")
    assert page.locator("#facts dd").last.text_content() == "no. 0"
    page.evaluate("explorer.pin(300)")
    assert page.locator("#facts dd").last.text_content() == f"no. {rows[300]}"
    known = [number for number in digits.neighbors["pixel"][rows[300]] if number in rows]
    assert 0 < len(known) < 10
    titles = read_titles(page)
    assert len(titles) == len(known)
    assert f"{10 - len(known)} are not on this page" in page.locator("#neighbors p").text_content()
    labels = digits.maps.label[known].astype(str).tolist()
    assert [title.split(",")[0] for title in titles] == labels
    page.locator("#find").fill(f"train {rows[300]}")
    page.keyboard.press("Enter")
    assert get_state(page, "pinned") == 300
    absent = next(number for number in range(TRAIN) if number not in rows)
    page.locator("#find").fill(f"train {absent}")
    page.keyboard.press("Enter")
    assert page.locator("#found").text_content() == "not found"
    page.evaluate("explorer.select([300])")
    assert page.evaluate("explorer.csv()").splitlines()[1].startswith(f"{rows[300]},train,")


@pytest.mark.chromium
def test_all_images_are_there_if_there_are_few(page):
    expect(page.locator("#sample")).to_be_hidden()


@pytest.mark.chromium
def test_texts_of_rows_are_shown_where_the_mouse_is_and_found(open_data, digits: PageInput):
    texts = [f"row {number} <img src=x onerror=alert(1)>" for number in range(COUNT)]
    texts[7], texts[8] = "שלום עולם", "a smile 🙂 and more"
    maps = digits.maps.assign(text=texts)
    page = open_data(make_page_data("Texts", "auto", DIGITS, maps, [], digits.embeddings))
    page.locator("#find").fill("smile 🙂")
    page.keyboard.press("Enter")
    assert get_state(page, "pinned") == 8
    assert page.locator("#name").text_content() == texts[8]
    point_at(page, locate_images(page, digits, "pixel")[1000])
    page.wait_for_function("explorer.state.hovered >= 0")
    assert page.locator("#said").text_content() == texts[get_state(page, "hovered")]
    expect(page.locator("#said")).to_be_visible()
    assert page.locator("img").count() == 0
    page.evaluate("explorer.select([8])")
    assert "a smile 🙂 and more" in page.evaluate("explorer.csv()")
    assert pd.Series(texts).is_unique


def test_many_maps_have_fewer_rows(digits: PageInput, monkeypatch):
    monkeypatch.setattr("build_explorer.MAX_PLACES", 3 * SAMPLE)
    assert sum(digits.make_data()["splits"].values()) == SAMPLE
