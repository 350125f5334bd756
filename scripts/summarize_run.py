"""Sum a run up on one page, for the report: the layers' scores, how the maps were made, configuration and versions."""

import importlib.metadata
import json
import platform
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import pandas as pd

from common.arrays import load_json
from common.files import whole
from common.jobs import job
from common.tables import SCORES, load_table

FACTS = (
    "backend",
    "version",
    "why_backend",
    "gradient",
    "kl_divergence",
    "images",
    "landmarks",
    "dimensions",
    "seconds",
)
STYLE = """<style>
body { font: 14px/1.5 system-ui, sans-serif; margin: 2em; color: #222; background: #fff; }
h2 { font-size: 1.1em; margin: 2em 0 0.5em; }
table { border-collapse: collapse; }
th, td { border: 0; border-bottom: 1px solid #ddd; padding: 0.25em 0.8em 0.25em 0; }
th, td { text-align: left; vertical-align: top; }
thead th { border-bottom: 1px solid #222; vertical-align: bottom; }
tbody th { font-weight: normal; }
td { font-variant-numeric: tabular-nums; }
</style>"""


def table_of_scores(table: pd.DataFrame) -> pd.DataFrame:
    """A row a score, three columns a layer, as text: training and test images, and how much it falls between them.

    Means over the seeds and, if they differ, the range. What nothing is known of is left out.
    """

    def as_text(values: pd.Series) -> str:
        known = values.dropna()
        if not len(known):
            return ""
        spread = f" ({known.min():.4f} to {known.max():.4f})" if known.max() - known.min() > 5e-5 else ""
        return f"{known.mean():.4f}{spread}"

    columns = {}
    for layer, rows in table.groupby("layer", sort=False):
        splits = {split: rows.loc[rows.split == split, list(SCORES)] for split in ("train", "test")}
        columns |= {(layer, split): part.agg(as_text) for split, part in splits.items()}
        fall = splits["train"].mean() - splits["test"].mean()
        columns[layer, "fall"] = fall.map(lambda value: "" if pd.isna(value) else f"{value:.4f}")
    texts = pd.DataFrame(columns).rename(index=SCORES)
    return texts.loc[(texts != "").any(axis=1), (texts != "").any(axis=0)]


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """A nested mapping's values as text, by their dotted keys."""
    found = {}
    for key, value in values.items():
        nested = isinstance(value, Mapping)
        found |= flat(value, f"{prefix}{key}.") if nested else {f"{prefix}{key}": json.dumps(value)}
    return found


def installed(pins: Mapping[str, str]) -> dict[str, str]:
    """The versions in use of the packages of `pins`: what is installed here, else what its environment has pinned."""
    found = {}
    for name, version in pins.items():
        try:
            found[name] = importlib.metadata.version(name.removesuffix("-base"))
        except importlib.metadata.PackageNotFoundError:
            found[name] = version
    return found | {"python": platform.python_version()}


def page(
    scores: pd.DataFrame,
    facts: Sequence[Mapping[str, Any]],
    configuration: Mapping[str, Any],
    versions: Mapping[str, str],
) -> str:
    """The page as HTML, of the table that compare_layers writes, a row of `facts` for each map, and two mappings."""

    def as_html(table: pd.DataFrame, header: bool = True, index: bool = False) -> str:
        return table.to_html(index=index, header=header, border=0, na_rep="", justify="left")

    parts = {
        "Layers": as_html(table_of_scores(scores), index=True),
        "Maps": as_html(pd.DataFrame(facts)),
        "Configuration": as_html(pd.DataFrame(flat(configuration).items()), header=False),
        "Versions": as_html(pd.DataFrame(versions.items()), header=False),
    }
    body = "".join(f"<h2>{escape(title)}</h2>{table}" for title, table in parts.items())
    head = f'<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>Summary</title>{STYLE}'
    return f"{head}<body>{body}</body></html>\n"


if __name__ == "__main__":
    with job(snakemake.log[0], "summarize_run"):
        params = snakemake.params
        facts = []
        for layer, path in zip(params.layers, snakemake.input.facts, strict=True):
            made = load_json(path)
            facts.append({"layer": layer} | {name: made[name] for name in FACTS if name in made})
        with whole(snakemake.output.page) as part:
            table = load_table(snakemake.input.table, *SCORES)
            part.write_text(page(table, facts, params.configuration, installed(params.pins)))
