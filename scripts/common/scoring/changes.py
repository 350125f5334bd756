"""Which images turn from wrong to right from one stage to the next, and back.

A stage is a layer, whose answer for an image is the vote of its nearest neighbors, or the network with its prediction.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from common.inputs import load_array, load_npz
from common.names import SPLITS
from common.tables import load_predictions


@dataclass(frozen=True)
class Answers:
    """The answers of each stage for the images of one split."""

    split: str
    labels: np.ndarray  # (n,), class numbers
    by_stage: Mapping[str, np.ndarray]  # (n,), class numbers, in the order of the stages


@dataclass(frozen=True)
class Change:
    """What changes from one stage to the next: row numbers of images."""

    before: str
    after: str
    corrected: np.ndarray
    broken: np.ndarray


def collect_answers(
    labels: Mapping[str, np.ndarray],
    outcomes: Mapping[str, Mapping[str, np.ndarray]],
    predictions: Mapping[str, pd.DataFrame] | None,
) -> Answers | None:
    """Return the answers for the last split that has images: test, else validation, else training images.

    `labels` (n,) are by split, `outcomes` by layer as score_map wrote them, `predictions` by split as load_predictions
    returns them; the network is a stage if it predicts these classes. None without labels.
    """
    split = next(split for split in reversed(SPLITS) if len(labels[split]))
    votes = {layer: found.get(f"{split}_vote") for layer, found in outcomes.items()}
    if any(vote is None for vote in votes.values()):
        return None
    if predictions is not None and predictions[split].prediction.notna().all():
        votes["network"] = predictions[split].prediction.to_numpy(int)
    return Answers(split, np.asarray(labels[split]), votes)


def load_answers(labels: Sequence[str], outcomes: Mapping[str, str], predictions: str | None = None) -> Answers | None:
    """Return the answers from files: labels by split, outcomes by layer, and the table of a network's predictions."""
    of_split = dict(zip(SPLITS, map(load_array, labels), strict=True))
    tables = predictions and load_predictions(predictions, **{split: len(rows) for split, rows in of_split.items()})
    return collect_answers(of_split, {layer: load_npz(path) for layer, path in outcomes.items()}, tables)


def find_changes(answers: Answers) -> list[Change]:
    """Return the change from each stage to the next."""
    stages, changes = list(answers.by_stage), []
    right = {stage: answer == answers.labels for stage, answer in answers.by_stage.items()}
    for before, after in pairwise(stages):
        corrected, broken = right[after] & ~right[before], right[before] & ~right[after]
        changes.append(Change(before, after, np.flatnonzero(corrected), np.flatnonzero(broken)))
    return changes


def count_wrong(answers: Answers) -> dict[str, int]:
    """Return the number of wrong answers by stage."""
    return {stage: int((answer != answers.labels).sum()) for stage, answer in answers.by_stage.items()}


def has_changes(answers: Answers | None) -> bool:
    """Return whether there are answers of two stages to compare."""
    return answers is not None and len(answers.by_stage) > 1


def explain_missing(answers: Answers | None, layers: Sequence[str]) -> str:
    """Return why there is nothing to compare."""
    return "The data set has no labels." if answers is None else f"{layers[0]} is the only layer."
