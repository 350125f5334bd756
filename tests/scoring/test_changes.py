"""Which images turn from wrong to right between the layers."""

import numpy as np
import pandas as pd
import pytest

from common.errors import UserError
from common.scoring.changes import (
    Answers,
    collect_answers,
    count_wrong,
    explain_missing,
    find_changes,
    has_changes,
    load_answers,
)

LABELS = {"train": np.array([0, 1, 2, 0]), "validation": np.array([1, 2]), "test": np.array([2, 1, 0])}
OUTCOMES = {
    layer: {f"{split}_vote": (labels + shift) % 3 for split, labels in LABELS.items()}
    for layer, shift in {"pixel": 1, "dense": 0}.items()
}
NONE = np.array([], int)


def predict(fill: float | None = None) -> dict[str, pd.DataFrame]:
    """Return predictions that are right, or all `fill`, as rows of one table."""
    starts = {"train": 0, "validation": 4, "test": 6}
    return {
        split: pd.DataFrame(
            {"prediction": labels.astype(float) if fill is None else fill},
            index=range(starts[split], starts[split] + len(labels)),
        )
        for split, labels in LABELS.items()
    }


@pytest.fixture
def answers() -> Answers:
    """Three stages: image 0 is right in the last one, 1 in the first one, 2 always, 3 never, 4 in the second one."""
    labels = np.array([5, 5, 5, 5, 5])
    votes = {"pixel": [1, 5, 5, 1, 1], "conv": [1, 1, 5, 2, 5], "network": [5, 1, 5, 3, 1]}
    return Answers("test", labels, {stage: np.array(numbers) for stage, numbers in votes.items()})


def test_changes_are_the_images_that_become_right_and_wrong(answers):
    changes = [
        (change.before, change.after, change.corrected.tolist(), change.broken.tolist())
        for change in find_changes(answers)
    ]
    assert changes == [("pixel", "conv", [4], [1]), ("conv", "network", [0], [4])]


def test_wrong_answers_are_counted_by_stage(answers):
    assert count_wrong(answers) == {"pixel": 3, "conv": 3, "network": 3}
    wrong = Answers("test", np.array([0, 1]), {"a": np.array([0, 1]), "b": np.array([1, 0])})
    assert count_wrong(wrong) == {"a": 0, "b": 2}


def test_changes_add_up_to_the_counts(answers):
    wrong = list(count_wrong(answers).values())
    for change, before, after in zip(find_changes(answers), wrong, wrong[1:], strict=False):
        assert before - len(change.corrected) + len(change.broken) == after


@pytest.mark.parametrize(
    ("empty", "split"), [((), "test"), (("test",), "validation"), (("validation", "test"), "train")]
)
def test_answers_are_those_of_the_last_split_with_images(empty, split):
    labels = LABELS | dict.fromkeys(empty, NONE)
    outcomes = {
        layer: {name: votes for name, votes in found.items() if not name.startswith(empty or "none")}
        for layer, found in OUTCOMES.items()
    }
    answers = collect_answers(labels, outcomes, predict())
    assert answers.split == split and list(answers.by_stage) == ["pixel", "dense", "network"]
    np.testing.assert_array_equal(answers.labels, LABELS[split])
    np.testing.assert_array_equal(answers.by_stage["pixel"], (LABELS[split] + 1) % 3)
    np.testing.assert_array_equal(answers.by_stage["network"], LABELS[split])
    assert count_wrong(answers) == {"pixel": len(LABELS[split]), "dense": 0, "network": 0}


def test_without_labels_there_are_no_answers():
    assert collect_answers(LABELS, {"pixel": {}, "dense": {}}, None) is None
    assert explain_missing(None, ["pixel", "dense"]) == "The data set has no labels."
    assert not has_changes(None)


@pytest.mark.parametrize("predictions", [None, predict(np.nan)])
def test_network_is_no_stage_if_it_is_unknown_or_predicts_other_classes(predictions):
    assert list(collect_answers(LABELS, OUTCOMES, predictions).by_stage) == ["pixel", "dense"]


def test_only_layer_has_nothing_to_compare_with_but_the_network():
    pixel = {"pixel": OUTCOMES["pixel"]}
    alone = collect_answers(LABELS, pixel, None)
    assert not has_changes(alone) and find_changes(alone) == []
    assert explain_missing(alone, ["pixel"]) == "pixel is the only layer."
    assert has_changes(collect_answers(LABELS, pixel, predict()))


@pytest.fixture
def files(tmp_path) -> dict:
    """The arguments of load_answers."""
    table = pd.concat([rows.assign(split=split, confidence=1, label=0) for split, rows in predict().items()])
    table.to_csv(tmp_path / "predictions.csv", index=False)
    for layer, votes in OUTCOMES.items():
        np.savez(tmp_path / f"{layer}.npz", **votes)
    for split, labels in LABELS.items():
        np.save(tmp_path / f"{split}.npy", labels)
    return {
        "labels": [str(tmp_path / f"{split}.npy") for split in LABELS],
        "outcomes": {layer: str(tmp_path / f"{layer}.npz") for layer in OUTCOMES},
        "predictions": str(tmp_path / "predictions.csv"),
    }


def test_answers_are_loaded_from_files(files):
    assert count_wrong(load_answers(**files)) == {"pixel": 3, "dense": 0, "network": 0}
    assert list(load_answers(**files | {"predictions": None}).by_stage) == ["pixel", "dense"]


def test_predictions_of_other_images_are_an_error(files, tmp_path):
    np.save(tmp_path / "train.npy", LABELS["train"][:3])
    with pytest.raises(UserError, match="has 4 train rows, not 3"):
        load_answers(**files)
