"""Summarize a comparison of networks on one page of the report."""

from html import escape

import pandas as pd

from common.files import save_text
from common.logs import run_logged
from common.names import SPLIT_NAMES, SPLITS
from common.scoring.scores import SCORES
from common.tables import load_table

STATES = {"after_training": "after training", "given": "given", "learned": "learned"}
ABOUT = (
    "Means with 95 % intervals. Given by the architecture: the scores before training minus those of the "
    "pixels. Learned: the scores after training minus those before. The layers stand in the order of each network."
)
STYLE = """<style>
body { font: 14px/1.5 system-ui, sans-serif; margin: 2em; color: #222; background: #fff; }
h2 { font-size: 1.1em; margin: 2em 0 0.5em; }
div { overflow-x: auto; }
table { border-collapse: collapse; }
th, td { border: 0; border-bottom: 1px solid #ddd; padding: 0.25em 0.8em 0.25em 0; }
th, td { text-align: left; vertical-align: top; }
td { font-variant-numeric: tabular-nums; white-space: nowrap; }
tbody th { font-weight: normal; }
p { max-width: 46em; }
</style>"""


def as_text(row: pd.Series) -> str:
    """Return a mean with its interval."""
    bounds = "" if pd.isna(row.low) else f" ({row.low:.4f} to {row.high:.4f})"
    return f"{row['mean']:.4f}{bounds}"


def make_network_table(table: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each network with its number of parameters and its accuracy on each split, as text."""
    rows = {}
    for network, of_network in table.groupby("network", sort=False):
        answers = of_network[(of_network.score == "network_accuracy") & of_network.layer.isna()]
        rows[network] = {"parameters": f"{int(of_network.parameters.iloc[0]):,}"}
        rows[network] |= {f"accuracy, {SPLIT_NAMES[row['split']]}": as_text(row) for _, row in answers.iterrows()}
    return pd.DataFrame(rows).T.fillna("")


def make_score_table(table: pd.DataFrame, score: str, split: str) -> pd.DataFrame:
    """Return a row for each network and layer with a score on a split after training, and what is given and learned."""
    chosen = table[(table.score == score) & (table.split == split) & table.layer.notna()]
    rows = {
        (network, layer): dict.fromkeys(STATES.values(), "")
        | {STATES[row.state]: as_text(row) for _, row in of_layer.iterrows() if row.state in STATES}
        for (network, layer), of_layer in chosen.groupby(["network", "layer"], sort=False)
    }
    return pd.DataFrame(rows, index=list(STATES.values())).T


def render_comparison(table: pd.DataFrame, name: str) -> str:
    """Return the page as HTML, from the table of compare_networks."""
    split = next(name for name in reversed(SPLITS) if (table.split == name).any())
    parts = {"Networks": make_network_table(table)}
    for score, entry in SCORES.items():
        found = make_score_table(table, score, split)
        if len(found):
            parts[f"{SPLIT_NAMES[split].capitalize()} images: {entry.label}"] = found
    body = "".join(
        f"<h2>{escape(title)}</h2><div>{found.to_html(border=0, justify='left')}</div>"
        for title, found in parts.items()
    )
    head = f'<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>{escape(name)}</title>{STYLE}'
    return f"{head}<body><p>{ABOUT}</p>{body}</body></html>\n"


if __name__ == "__main__":
    with run_logged(snakemake.log[0], "summarize_comparison"):
        columns = ("network", "parameters", "layer", "state", "split", "score", "mean", "low", "high")
        table = load_table(snakemake.input.table, *columns)
        save_text(snakemake.output.page, render_comparison(table, snakemake.wildcards.comparison))
