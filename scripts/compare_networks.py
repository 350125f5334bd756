"""Compare networks on the same images: a table of the scores of all their layers, before and after training."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from common.files import atomic_write
from common.inputs import load_json
from common.logs import run_logged
from common.names import SPLITS
from common.scoring.relative_depth import relative_depths
from common.scoring.scores import SCORES

COLUMNS = ("network", "parameters", "layer", "depth", "state", "split", "score", "mean", "low", "high")
STATES = ("before_training", "given", "learned")  # beside "after_training", the scores of the layer itself


def list_rows(summary: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a row for each score of a network, from its layers.json; that of its own answers has no layer."""
    depths = relative_depths(list(summary["layers"]))
    parts = [("", None, "after_training", summary["network"])]
    for layer, entry in summary["layers"].items():
        parts.append((layer, depths[layer], "after_training", entry))
        parts += [(layer, depths[layer], state, entry[state]) for state in STATES if state in entry]
    for layer, depth, state, by_split in parts:
        for split in SPLITS:
            for score in SCORES:
                if score in by_split.get(split, {}):
                    facts = {"layer": layer, "depth": depth, "state": state, "split": split, "score": score}
                    yield facts | dict(by_split[split][score])


def tabulate_networks(
    names: Sequence[str], summaries: Sequence[Mapping[str, Any]], records: Sequence[Mapping[str, Any]]
) -> pd.DataFrame:
    """Return a row for each network, layer, state, split and score, with its 95 % interval.

    `names`, `summaries` (layers.json) and `records` (network.json) are in the same order. The state is
    "after_training" or one of STATES. The depth is that of relative_depths.
    """
    rows = [
        {"network": name, "parameters": record["parameters"], **row}
        for name, summary, record in zip(names, summaries, records, strict=True)
        for row in list_rows(summary)
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


if __name__ == "__main__":
    with run_logged(snakemake.log[0], "compare_networks"):
        paths = snakemake.input
        summaries, records = ([load_json(path) for path in files] for files in (paths.summaries, paths.records))
        table = tabulate_networks(snakemake.params.networks, summaries, records)
        with atomic_write(snakemake.output.table) as part:
            table.to_csv(part, index=False, float_format="%.6g")
