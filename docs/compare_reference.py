"""Compare the scores of a run on MNIST with the reference in layers.csv, within the tolerances of the scores.

PYTHONPATH=scripts .venv/bin/python docs/compare_reference.py results/MNIST/layers.csv
"""

import sys
from pathlib import Path

import pandas as pd

from common.scoring.scores import SCORES

REFERENCE = Path(__file__).with_name("layers.csv")


def find_differences(scores: pd.DataFrame, reference: pd.DataFrame) -> list[str]:
    """Return a line for each score that is farther from the reference than its tolerance allows.

    Both tables are as compare_layers writes them. A score must lie within the range over the reference's seeds, widened
    by the tolerance, or be missing in both.
    """
    lines = []
    for _, row in scores.iterrows():
        expected = reference[(reference.layer == row.layer) & (reference.split == row.split)]
        if not len(expected):
            lines.append(f"{row.layer}, {row.split}: the reference has no such layer.")
            continue
        for key, score in SCORES.items():
            low, high = expected[key].min() - score.tolerance, expected[key].max() + score.tolerance
            is_missing_in_both = pd.isna(row[key]) and expected[key].isna().all()
            if not is_missing_in_both and not low <= row[key] <= high:
                lines.append(f"{row.layer}, {row.split}: {key} is {row[key]:.4f}, expected {low:.4f} to {high:.4f}.")
    return lines


if __name__ == "__main__":
    differences = find_differences(pd.read_csv(sys.argv[1]), pd.read_csv(REFERENCE))
    print("\n".join(differences) or "All scores agree with the reference.")
    sys.exit(bool(differences))
