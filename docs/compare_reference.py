"""Compare the scores of a run on MNIST with the reference in layers.json, within its 95 % intervals.

PYTHONPATH=scripts .venv/bin/python docs/compare_reference.py results/MNIST/layers.json
"""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from common.names import SPLITS

REFERENCE = Path(__file__).with_name("layers.json")
ROUNDING = 0.002  # that a score without an interval may differ
NOT_COMPARED = ("kl_divergence",)  # it is not a mean over images


def list_scores(summary: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return the scores of each layer, after and before training, and of the network, from compare_layers' summary."""
    before = {
        f"{layer} before training": entry["before_training"]
        for layer, entry in summary["layers"].items()
        if "before_training" in entry
    }
    network = {"network": summary["network"]} if any(summary["network"].get(split) for split in SPLITS) else {}
    return {**summary["layers"], **before, **network}


def find_limits(expected: Mapping[str, float | None] | None) -> tuple[float, float]:
    """Return the lowest and the highest mean that agree with an interval; NaN if there is none."""
    if expected is None:
        return float("nan"), float("nan")
    if expected["low"] is None:
        return expected["mean"] - ROUNDING, expected["mean"] + ROUNDING
    return expected["low"], expected["high"]


def find_differences(summary: Mapping[str, Any], reference: Mapping[str, Any]) -> Iterator[str]:
    """Yield a line for each score of the run's layers that is outside the reference's interval, or missing in one.

    Both summaries are as compare_layers writes them. Scores that the reference has nowhere are not compared.
    """
    known = list_scores(reference)
    scores = {score for entry in known.values() for split in SPLITS for score in entry[split]} - set(NOT_COMPARED)
    for layer, entry in list_scores(summary).items():
        if layer not in known:
            yield f"{layer}: the reference has no such layer."
            continue
        for split in SPLITS:
            found, expected = entry[split], known[layer][split]
            for score in dict.fromkeys([*expected, *found]):
                if score not in scores:
                    continue
                low, high = find_limits(expected.get(score))
                if score in found and low <= found[score]["mean"] <= high:
                    continue
                value = f"{found[score]['mean']:.4f}" if score in found else "missing"
                limits = f"{low:.4f} to {high:.4f}" if score in expected else "none"
                yield f"{layer}, {split}: {score} is {value}, expected {limits}."


if __name__ == "__main__":
    summaries = [json.loads(Path(path).read_text(encoding="utf-8")) for path in (sys.argv[1], REFERENCE)]
    differences = list(find_differences(*summaries))
    print("\n".join(differences) or "All scores agree with the reference.")
    sys.exit(bool(differences))
