"""Summarize a run on one page of the report: scores, embeddings, methods, configuration and versions."""

import importlib.metadata
import json
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd

from common.files import save_text
from common.inputs import load_json
from common.logs import run_logged
from common.names import SPLITS
from common.provenance import provenance
from common.provenance_text import describe_provenance
from common.scoring.baselines import BASELINES
from common.scoring.scores import SCORES
from common.tables import load_table

ABOUT_SCORES = (
    "Means with 95 % intervals: a bootstrap over blocks of consecutive rows, crossed with networks and embeddings "
    "where there are several. Differences are paired. Memorization: training minus validation. Shift: validation minus "
    "test."
)
ABOUT_CONTROLS = (
    "The layers before training. Given by the architecture: the scores before training minus those of the pixels. "
    "Learned: the scores after training minus those before it."
)
ABOUT_BASELINES = "What embeddings without t-SNE reach: the first two principal components, and random points."
RECORD_KEYS = (
    "backend",
    "version",
    "why_backend",
    "kl_divergence",
    "r_squared",
    "images",
    "held_out_images",
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
td:has(br) { white-space: nowrap; }
h3 { font-size: 1em; }
p, li { max-width: 46em; }
</style>"""


def make_score_table(summary: Mapping[str, Any], rows: Mapping[str, int]) -> pd.DataFrame:
    """Return a table of text with one row a score, and for each layer a column for each split and each difference.

    Values are means with their 95 % intervals, from the `summary` of compare_layers. `rows` is the number of images of
    each split. Empty rows and columns are left out.
    """
    columns, last = {}, find_last(rows)
    for layer, entry in summary["layers"].items():
        parts = {f"{split}, n = {rows[split]:,}": entry[split] for split in SPLITS if rows.get(split)}
        gain = entry.get("gain", {})
        parts |= {f"{last}, minus {gain['over']}": gain[last]} if gain else {}
        parts |= {name: entry[name] for name in ("memorization", "shift")}
        columns |= {(layer, part): values for part, values in parts.items()}
    return tabulate_intervals(columns)


def make_control_table(summary: Mapping[str, Any], rows: Mapping[str, int]) -> pd.DataFrame:
    """Return a table like make_score_table with the scores before training, on the last split that has images.

    `given` is their difference from the pixels, `learned` that of the scores after training from them. Layers without a
    control have no columns.
    """
    columns, last = {}, find_last(rows)
    for layer, entry in summary["layers"].items():
        for name in ("before_training", "given", "learned"):
            if name in entry:
                columns[layer, f"{name.replace('_', ' ')}, {last}"] = entry[name][last]
    return tabulate_intervals(columns)


def find_last(rows: Mapping[str, int]) -> str:
    """Return the last split that has images: test, else validation, else train."""
    return [split for split in SPLITS if rows.get(split)][-1]


def tabulate_intervals(columns: Mapping[tuple[str, str], Mapping[str, Mapping[str, float | None]]]) -> pd.DataFrame:
    """Return means with their intervals as text, from intervals by score for each column; empty ones are left out."""

    def as_text(interval: Mapping[str, float | None] | None) -> str:
        if not interval:
            return ""
        bounds = "" if interval["low"] is None else f" ({interval['low']:.4f} to {interval['high']:.4f})"
        return f"{interval['mean']:.4f}{bounds}"

    texts = {name: {score: as_text(values.get(score)) for score in SCORES} for name, values in columns.items()}
    columns = pd.MultiIndex.from_tuples(texts, names=["layer", "part"]) if texts else [[], []]
    table = pd.DataFrame(list(texts.values()), index=columns, columns=list(SCORES)).T
    table = table.rename(index={key: score.label for key, score in SCORES.items()})
    return table.loc[(table != "").any(axis=1), (table != "").any(axis=0)]


def split_by_layer(table: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return the rows and columns of such a table by layer, without rows that are empty there."""
    tables = {layer: table[layer] for layer in dict.fromkeys(table.columns.get_level_values(0))}
    return {layer: found[(found != "").any(axis=1)].rename_axis(columns=None) for layer, found in tables.items()}


def make_baseline_table(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table of text with one row a score and a column for each layer and baseline, from layers.csv.

    Values are those of the last split that has images.
    """
    split = find_last(table.split.value_counts())
    rows = table[(table.split == split) & table.embedding.isin(BASELINES)].set_index(["layer", "embedding"])
    texts = rows[list(SCORES)].T.map(lambda value: "" if pd.isna(value) else f"{value:.4f}")
    texts = texts.rename(index={key: score.label for key, score in SCORES.items()})
    return texts.loc[(texts != "").any(axis=1)]


def flatten(values: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Return the values of a nested mapping as text, by dotted key."""
    flattened = {}
    for key, value in values.items():
        nested = isinstance(value, Mapping)
        flattened |= flatten(value, f"{prefix}{key}.") if nested else {f"{prefix}{key}": json.dumps(value)}
    return flattened


def collect_versions(pins: Mapping[str, str], records: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return versions by project: as recorded with the results, else as installed here, else as pinned."""
    versions = {}
    for name, version in pins.items():
        try:
            versions[name] = importlib.metadata.version(name.removesuffix("-base"))
        except importlib.metadata.PackageNotFoundError:
            versions[name] = version
    recorded = {}
    for record in records:
        for name, version in record["versions"].items():
            recorded.setdefault(name.lower(), {})[version] = None
    return versions | {name: ", ".join(known) for name, known in recorded.items()}


def render_markdown(text: str) -> str:
    """Return HTML for Markdown with paragraphs, lists and headings, without the first heading."""
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


def render_page(
    summary: Mapping[str, Any],
    table: pd.DataFrame,
    records: Sequence[Mapping[str, Any]],
    configuration: Mapping[str, Any],
    methods: str,
    made_by: str,
    versions: Mapping[str, str],
) -> str:
    """Return the page as HTML, from summary and table of compare_layers and a row of `records` for each embedding.

    `methods` is the Markdown of write_methods, `made_by` describes the version of the workflow.
    """

    def as_html(table: pd.DataFrame, header: bool = True, index: bool = False) -> str:
        return table.to_html(index=index, header=header, border=0, na_rep="", justify="left")

    def by_layer(table: pd.DataFrame) -> str:
        return "".join(
            f"<h3>{escape(layer)}</h3>" + as_html(scores, index=True).replace(" (", "<br>(")  # intervals below means
            for layer, scores in split_by_layer(table).items()
        )

    rows = table.groupby("split").rows.first().to_dict()
    controls = by_layer(make_control_table(summary, rows))
    parts = {
        "Layers": f"<p>{ABOUT_SCORES}</p>{by_layer(make_score_table(summary, rows))}",
        **({"Before training": f"<p>{ABOUT_CONTROLS}</p>{controls}"} if controls else {}),
        "Baselines": f"<p>{ABOUT_BASELINES}</p>" + as_html(make_baseline_table(table), index=True),
        "Maps": as_html(pd.DataFrame(records)),
        "Methods": render_markdown(methods),
        "Configuration": as_html(pd.DataFrame(flatten(configuration).items()), header=False),
        "Versions": f"<p>Workflow: {escape(made_by)}.</p>" + as_html(pd.DataFrame(versions.items()), header=False),
    }
    body = "".join(f"<h2>{escape(title)}</h2>{table}" for title, table in parts.items())
    head = f'<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>Summary</title>{STYLE}'
    return f"{head}<body>{body}</body></html>\n"


if __name__ == "__main__":
    with run_logged(snakemake.log[0], "summarize_run"):
        params = snakemake.params
        networks, maps = ([load_json(path) for path in snakemake.input[name]] for name in ("networks", "records"))
        records = [
            {"layer": layer} | {name: made[name] for name in RECORD_KEYS if name in made}
            for layer, made in zip(params.layers, maps, strict=True)
        ]
        versions = collect_versions(params.pins, [made["provenance"] for made in (*networks, *maps)])
        made_by = describe_provenance(provenance(snakemake.wildcards.dataset))
        table = load_table(snakemake.input.table, "split", "rows", *SCORES)
        methods = Path(snakemake.input.methods).read_text(encoding="utf-8")
        summary = load_json(snakemake.input.summary)
        text = render_page(summary, table, records, params.configuration, methods, made_by, versions)
        save_text(snakemake.output.page, text)
