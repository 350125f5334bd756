"""Suggestions: groups of images that are worth a look, by stated rules."""

from dataclasses import replace

import numpy as np
import pytest
from playwright.sync_api import Page

from explorer.browser import get_state
from explorer.page_input import COUNT, TRAIN, PageInput, embed_earlier

pytestmark = pytest.mark.chromium


def open_suggestions(page: Page) -> list[str]:
    """Open the list, and return what it suggests."""
    page.locator("#suggestions summary").click()
    page.wait_for_function("document.getElementById('suggested').textContent !== ''")
    return page.locator("#suggested button").all_text_contents()


def most_frequent(labels: np.ndarray) -> int:
    """Return the most frequent of some labels, the first of those that are equally frequent."""
    counts = np.bincount(labels)
    return int(next(label for label in labels if counts[label] == counts.max()))


def show(page: Page, text: str) -> None:
    page.locator("#suggested button", has_text=text).first.click()
    page.wait_for_timeout(1800)


def test_confident_errors_are_those_of_at_least_ninety_percent(page, digits: PageInput):
    maps = digits.maps
    expected = np.flatnonzero((maps.prediction != maps.label) & (maps.confidence >= 0.9))
    assert f"Confident errors: {len(expected)}" in open_suggestions(page)
    assert "at least 90\u00a0%" in page.locator("#suggested p").first.text_content()
    show(page, "Confident errors")
    assert get_state(page, "selection") == expected.tolist()


def test_changed_neighbors_are_those_that_first_and_last_layer_share_least(page, digits: PageInput):
    open_suggestions(page)
    show(page, "Neighbors change most")
    pairs = zip(digits.neighbors["pixel"], digits.neighbors["dense3"], strict=True)
    shared = np.array([len(set(one) & set(other)) for one, other in pairs])
    selected = get_state(page, "selection")
    assert len(selected) == 50 and get_state(page, "map") == 2
    assert shared[selected].max() <= np.sort(shared)[49]


def test_islands_are_joined_by_their_neighbors(open_data, digits: PageInput):
    labels = np.zeros(COUNT, int)
    labels[:6] = 1  # an island of six, and two images alone
    labels[[100, 200]] = 1
    neighbors = np.tile(np.arange(20, 30), (COUNT, 1)).astype(np.int32)
    neighbors[:5, 0] = np.arange(1, 6)
    votes = dict.fromkeys(("pixel_knn", "conv1_knn", "dense3_knn"), 0)
    maps = digits.maps.assign(label=labels, prediction=labels, **votes)
    few = {layer: neighbors if layer == "conv1" else digits.neighbors[layer] for layer in digits.neighbors}
    page = open_data(replace(digits, maps=maps.assign(pixel_knn=labels, dense3_knn=labels), neighbors=few).make_data())
    found = open_suggestions(page)
    assert [text for text in found if "within" in text] == ["6 of “1” within “0”, conv1"]
    show(page, "within")
    assert get_state(page, "selection") == list(range(6)) and get_state(page, "map") == 1


def test_classes_that_training_separates_have_their_shares(open_data, digits: PageInput):
    trained = replace(digits, earlier=embed_earlier(digits))
    labels, before = digits.maps.label.to_numpy(), trained.earlier[2].neighbors
    maps = digits.maps.assign(dense3_knn=labels)
    page = open_data(replace(trained, maps=maps).make_data())
    found = [text for text in open_suggestions(page) if "before training" in text]
    votes = np.array([most_frequent(labels[row]) for row in before])
    shares = np.array([100 * np.mean(votes[labels == label] == label) for label in range(10)])
    worst = int(shares.argmin())
    assert len(found) == 3 and found[0] == f"“{worst}”: {shares[worst]:.1f}\u00a0% before training, 100.0\u00a0% after"
    page.locator("#suggested button", has_text=f"“{worst}”").click()
    page.wait_for_function(f"explorer.state.classes.has({worst})")


def test_data_without_labels_have_no_islands(open_data, digits: PageInput):
    maps = digits.maps.drop(columns=["label", "prediction", "confidence"])
    rows = replace(digits, maps=maps[:TRAIN], neighbors={key: found[:TRAIN] for key, found in digits.neighbors.items()})
    page = open_data(replace(rows, images=digits.images[:TRAIN]).make_data("Unknown", "auto", []))
    assert open_suggestions(page) == ["Neighbors change most: 50"]
