"""Sum a run up on one page, for the report: the layers' scores, how the maps were made, configuration and versions."""

import importlib.metadata
import json
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd

from common.arrays import load_json
from common.files import whole
from common.jobs import job
from common.made_by import describe
from common.provenance import provenance
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
h3 { font-size: 1em; }
p, li { max-width: 46em; }
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


def versions_used(pins: Mapping[str, str], records: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The versions of what made the run: as recorded, else as installed here, else as its environment has it pinned."""
    found = {}
    for name, version in pins.items():
        try:
            found[name] = importlib.metadata.version(name.removesuffix("-base"))
        except importlib.metadata.PackageNotFoundError:
            found[name] = version
    recorded = {}
    for record in records:
        for name, version in record["versions"].items():
            recorded.setdefault(name.lower(), {})[version] = None
    return found | {name: ", ".join(versions) for name, versions in recorded.items()}


def paragraphs(text: str) -> str:
    """The HTML of Markdown that has paragraphs, lists of references and headings, of which the first is left out."""
    parts = []
    for block in text.split("\n\n")[1:]:
        if block.startswith("#"):
            parts.append(f"<h3>{escape(block.lstrip('# '))}</h3>")
        elif block.startswith("- "):
            items = "".join(f"<li>{escape(line.removeprefix('- '))}</li>" for line in block.splitlines())
            parts.append(f"<ul>{items}</ul>")
        else:
            parts.append(f"<p>{escape(block)}</p>")
    return "".join(parts)


def page(
    scores: pd.DataFrame,
    facts: Sequence[Mapping[str, Any]],
    configuration: Mapping[str, Any],
    methods: str,
    made_by: str,
    versions: Mapping[str, str],
) -> str:
    """The page as HTML, of the table that compare_layers writes, a row of `facts` for each map, and what else is given.

    `methods` is what write_methods writes, `made_by` what made this page, in words.
    """

    def as_html(table: pd.DataFrame, header: bool = True, index: bool = False) -> str:
        return table.to_html(index=index, header=header, border=0, na_rep="", justify="left")

    parts = {
        "Layers": as_html(table_of_scores(scores), index=True),
        "Maps": as_html(pd.DataFrame(facts)),
        "Methods": paragraphs(methods),
        "Configuration": as_html(pd.DataFrame(flat(configuration).items()), header=False),
        "Versions": f"<p>The workflow: {escape(made_by)}.</p>" + as_html(pd.DataFrame(versions.items()), header=False),
    }
    body = "".join(f"<h2>{escape(title)}</h2>{table}" for title, table in parts.items())
    head = f'<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>Summary</title>{STYLE}'
    return f"{head}<body>{body}</body></html>\n"


if __name__ == "__main__":
    with job(snakemake.log[0], "summarize_run"):
        params = snakemake.params
        networks, maps = ([load_json(path) for path in snakemake.input[name]] for name in ("networks", "facts"))
        facts = [
            {"layer": layer} | {name: made[name] for name in FACTS if name in made}
            for layer, made in zip(params.layers, maps, strict=True)
        ]
        versions = versions_used(params.pins, [made["provenance"] for made in (*networks, *maps)])
        made_by = describe(provenance(snakemake.wildcards.dataset))
        table = load_table(snakemake.input.table, *SCORES)
        methods = Path(snakemake.input.methods).read_text(encoding="utf-8")
        with whole(snakemake.output.page) as part:
            text = page(table, facts, params.configuration, methods, made_by, versions)
            part.write_text(text, encoding="utf-8")
