"""Rows for the splits: samples, and rows held out, in proportion to the classes."""

import logging

import numpy as np
import pytest
from prepare_dataset import choose_rows

from common.errors import UserError
from common.readers.splits import HELD_OUT, draw_sample, hold_out

NAMES = ["a", "b", "c"]
LABELS = np.repeat([0, 1, 2], [60, 24, 12])[np.random.default_rng(0).permutation(96)]


def test_sample_keeps_the_proportions_and_the_order():
    rows = draw_sample(LABELS, 32, NAMES)
    assert (np.diff(rows) > 0).all() and np.bincount(LABELS[rows]).tolist() == [20, 8, 4]
    assert np.array_equal(rows, draw_sample(LABELS, 32, NAMES)), "the same each time"
    assert not np.array_equal(rows, np.arange(32))


def test_sample_as_large_as_the_data_is_all_of_it():
    for size in (96, 97):
        assert draw_sample(LABELS, size, NAMES).tolist() == list(range(96))
    assert draw_sample(np.arange(3), 3, NAMES).tolist() == [0, 1, 2]


@pytest.mark.parametrize("size", [3, 93])
def test_sample_may_have_or_leave_as_few_rows_as_classes(size):
    rows = draw_sample(LABELS, size, NAMES)
    assert len(set(rows)) == len(rows) == size and (np.diff(rows) > 0).all()


@pytest.mark.parametrize("size", [2, 94])
def test_sample_that_has_or_leaves_fewer_rows_than_classes_is_refused(size):
    with pytest.raises(UserError) as raised:
        draw_sample(LABELS, size, NAMES)
    assert f"{raised.value}" == (
        f"sample: {size} of 96 rows cannot be drawn in proportion to 3 classes. "
        "Set it to 3 to 93, or remove it to use all rows."
    )


@pytest.mark.parametrize("size", [3, 30, 99])
def test_sample_keeps_rows_of_classes_with_a_single_one_and_says_so(size, caplog):
    caplog.set_level(logging.INFO, "workflow")
    labels = np.repeat([0, 1, 2, 4], [50, 1, 48, 1])[::-1]
    for lowest in (2, 3):
        with pytest.raises(
            UserError, match=f"^sample: {lowest} of 100 rows cannot be drawn in proportion to 4 classes"
        ):
            draw_sample(labels, lowest, "abcde")
    assert len(draw_sample(labels, 100, "abcde")) == 100 and caplog.messages == []
    size = max(4, min(98, size))
    rows = draw_sample(labels, size, "abcde")
    assert len(set(rows)) == size and (np.diff(rows) > 0).all() and {0, 49} <= set(rows)
    counts = np.bincount(labels[rows])
    assert counts[1] == counts[4] == 1 and abs(counts[0] - (size - 2) * 50 / 98) < 1
    assert caplog.messages == ["sample: 2 classes with a single row are kept: b and e"]


def test_sample_keeps_rows_of_many_classes_with_a_single_one(caplog):
    caplog.set_level(logging.INFO, "workflow")
    labels, names = np.r_[np.zeros(50, int), np.arange(1, 21)], [f"c{number}" for number in range(21)]
    assert set(range(50, 70)) < set(draw_sample(labels, 30, names))
    kept = ", ".join(names[1:11])
    assert caplog.messages == [f"sample: 20 classes with a single row are kept: {kept} and 10 others"]


def test_a_sixth_of_each_class_is_held_out():
    kept, held = hold_out(LABELS, HELD_OUT)
    assert np.bincount(LABELS[held]).tolist() == [10, 4, 2] and np.bincount(LABELS[kept]).tolist() == [50, 20, 10]
    assert (np.diff(held) > 0).all() and np.array_equal(np.sort(np.concatenate([kept, held])), np.arange(96))
    assert (np.diff(kept) > 0).all() and np.array_equal(held, hold_out(LABELS, HELD_OUT)[1]), "the same each time"
    first = [np.flatnonzero(label == LABELS)[:2] for label in range(3)]
    assert not all(set(rows) <= set(held) for rows in first), "the first of each class are not chosen"


def test_classes_of_up_to_three_images_have_none_held_out():
    kept, held = hold_out(np.repeat([0, 1, 2, 3], [60, 3, 1, 4]), HELD_OUT)
    assert len(held) == 11 and set(held[:10]) < set(range(60)) and set(range(60, 64)) < set(kept) and held[10] > 63


def test_splits_of_the_source_are_kept():
    labels = {"train": LABELS, "validation": LABELS[:7], "test": LABELS[:20]}
    rows = choose_rows(labels, NAMES, None, True, None)
    assert list(rows) == ["train", "validation", "test"]
    assert {split: (of, list(numbers)) for split, (of, numbers) in rows.items()} == {
        split: (split, list(range(len(values)))) for split, values in labels.items()
    }


def test_missing_splits_are_cut_off_in_proportion_where_a_network_is_trained():
    labels = np.repeat([0, 1, 2], [360, 144, 72])
    chosen = choose_rows({"train": labels}, NAMES, None, True, None)
    assert {of for of, _ in chosen.values()} == {"train"}
    rows = {split: numbers for split, (_, numbers) in chosen.items()}
    assert np.array_equal(np.sort(np.concatenate(list(rows.values()))), np.arange(576)), "each row once"
    counts = {split: np.bincount(labels[numbers]).tolist() for split, numbers in rows.items()}
    assert counts == {"test": [60, 24, 12], "validation": [50, 20, 10], "train": [250, 100, 50]}


def test_missing_test_split_is_cut_off_beside_a_validation_split():
    chosen = choose_rows({"train": LABELS, "validation": LABELS[:7]}, NAMES, None, True, None)
    assert chosen["validation"][0] == "validation" and chosen["validation"][1].tolist() == list(range(7))
    assert len(chosen["test"][1]) == 16 and len(chosen["train"][1]) == 80


def test_missing_splits_are_empty_where_no_network_is_trained():
    chosen = choose_rows({"train": LABELS, "test": LABELS[:20]}, NAMES, None, False, None)
    assert [len(chosen[split][1]) for split in ("train", "validation", "test")] == [96, 0, 20]
    assert chosen["test"][0] == "test"


def test_sample_of_the_training_rows_is_what_is_split():
    chosen = choose_rows({"train": LABELS, "test": LABELS[:20]}, NAMES, 40, True, None)
    assert [len(chosen[split][1]) for split in ("train", "validation", "test")] == [33, 7, 20]
    rows = np.concatenate([chosen["train"][1], chosen["validation"][1]])
    assert np.array_equal(np.sort(rows), draw_sample(LABELS, 40, NAMES))


def test_stated_share_is_held_out_for_missing_splits():
    labels = np.repeat([0, 1], [200, 100])
    chosen = choose_rows({"train": labels}, NAMES, None, False, 0.1)
    rows = {split: numbers for split, (_, numbers) in chosen.items()}
    counts = {split: np.bincount(labels[numbers], minlength=2).tolist() for split, numbers in rows.items()}
    assert counts == {"train": [180, 90], "validation": [20, 10], "test": [0, 0]}
    assert np.array_equal(np.sort(np.concatenate(list(rows.values()))), np.arange(300)), "each row once"
    counts = [len(numbers) for _, numbers in choose_rows({"train": labels}, NAMES, None, True, 0.1).values()]
    assert counts == [243, 27, 30]
    chosen = choose_rows({"train": labels, "validation": labels[:7]}, NAMES, None, False, 0.1)
    assert [len(numbers) for _, numbers in chosen.values()] == [300, 7, 0], "nothing is missing without training"


def test_nothing_is_held_out_if_too_few_images_would_be_left(caplog):
    for count, counts in ((31, [31, 0, 0]), (36, [36, 0, 0]), (37, [31, 0, 6]), (48, [33, 7, 8])):
        chosen = choose_rows({"train": np.zeros(count, np.int64)}, NAMES, None, True, None)
        assert [len(rows) for _, rows in chosen.values()] == counts
    assert "warning: none of the 31 training images are held out for validation: too few" in caplog.messages
