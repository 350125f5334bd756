"""Write docs/benchmark.png and docs/benchmark.md from docs/benchmark.csv, which compare.py writes."""

from collections.abc import Callable, Iterable, Sequence

import matplotlib
import numpy as np
import pandas as pd
from compare import PEERS
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullFormatter
from run_peer import PERPLEXITY

from common.figures.style import PAGE_STYLE
from common.files import atomic_write

INTRODUCTION = """All implementations embed the same features with the same perplexity.
They use as many cores as there are threads.
The features are in memory before the measurement starts.
All other settings are the defaults of each implementation.

For each layer, the implementations run in turn, in the order below, in several rounds.
The slow ones run once, for the first layer.
Each run is a separate process; each round has a different seed."""
MEANING = """- *seconds*: wall-clock time of the call, from the features to the embedding.
- *CPU*: CPU time of all its threads, user and system.
- *until the first iteration*: neighbors, affinities and initialization; for bh_sne as it reports it, in CPU seconds.
- *start-up*: time before the call, for Python, the imports and reading the features.
- *process*: time of the complete process, including start-up and writing the embedding.
- *peak memory*: that of the process, including the features.
- *KL divergence*: computed exactly and in the same way for all implementations (`kl_divergence`).
  It uses the embedding in single precision and the affinities of exact neighbors at this perplexity.
- *kNN preservation*: share of the 10 nearest neighbors in the features that are among the 10 nearest in the embedding.
  The neighbors in the features are exact.
- *kNN accuracy*: share of images whose label wins the vote of their 10 nearest neighbors in the embedding.

Compiling this workflow's code with numba counts as part of the call, but only in the very first run: it is cached.
Intermediate results of an interrupted benchmark are in `results/{dataset}/bench`.
When it is started again, it continues from there."""
WIDTH, ROW, AROUND = 7.0, 0.21, 0.85  # inches: of the figure, of one peer, and of all else
DPI = 300
AVERAGED = [
    *("seconds", "prepare_seconds", "optimize_seconds", "cpu_seconds", "start_seconds", "process_seconds"),
    *("process_cpu_seconds", "peak_mib", "kl_divergence", "knn_preservation_10", "knn_accuracy_map"),
]
MARKS = {
    "prepare_seconds": {"label": "until the first iteration", "color": "#3f90da", "marker": "s", "markersize": 3.5},
    "optimize_seconds": {"label": "iterations", "color": "#e76300", "marker": "D", "markersize": 3.5},
    "seconds": {  # a ring, in which the larger of the two is visible
        "label": "both, with the range of the runs",
        "color": "black",
        "marker": "o",
        "markersize": 6.5,
        "markerfacecolor": "none",
    },
}
HEAD = (
    *("", "seconds", "times this workflow's", "until the first iteration", "iterations", "CPU", "start-up", "process"),
    *("peak memory (GiB)", "KL divergence", "kNN preservation (%)", "kNN accuracy (%)", "runs"),
)
LEFT_ALIGNED = {"fontsize": 7, "verticalalignment": "center"}
CENTERED = LEFT_ALIGNED | {"horizontalalignment": "center"}


def summarize(table: pd.DataFrame) -> pd.DataFrame:
    """Return a summary of the runs (compare.COLUMNS), one row for each layer and peer, in order of appearance.

    Columns: layer, peer, dimensions; runs, the number of those measured; the medians of AVERAGED; low and high, the
    range of the seconds, and kl_low and kl_high; ratio, the median seconds divided by this workflow's for the same
    layer; note, why a peer was not measured. Unknown values are missing.
    """
    groups = table.groupby(["layer", "peer"], sort=False)
    summary = groups[AVERAGED].median()
    for name, column in ("", "seconds"), ("kl_", "kl_divergence"):
        summary[f"{name}low"], summary[f"{name}high"] = groups[column].min(), groups[column].max()
    summary["runs"], summary["dimensions"] = groups.seconds.count(), groups.dimensions.max()
    summary["note"] = groups.note.first()
    summary = summary.reset_index()
    ours = summary[summary.peer == "ours"].set_index("layer").seconds
    summary["ratio"] = summary.seconds / summary.layer.map(ours)
    return summary


def format_digits(value: float) -> str:
    """Return a number with three digits; from 100 on, without decimals."""
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:,.0f}"


def format_range(low: float, high: float, form: str | None = None) -> str:
    """Return the range of several runs in brackets, or nothing for a single run."""
    texts = [format(value, form) if form else format_digits(value) for value in (low, high)]
    return f" [{texts[0]}-{texts[1]}]" if low < high else ""


def format_cells(row: pd.Series) -> list[str]:
    """Return the cells (HEAD) of a row of the summary."""
    name = PEERS[row.peer].name
    if not row.runs:
        return [name, *[""] * (len(HEAD) - 2), "0"]
    ratio = "" if np.isnan(row.ratio) else format_digits(row.ratio)
    return [
        name,
        format_digits(row.seconds) + format_range(row.low, row.high),
        ratio,
        *map(format_digits, (row.prepare_seconds, row.optimize_seconds, row.cpu_seconds, row.start_seconds)),
        format_digits(row.process_seconds),
        f"{row.peak_mib / 1024:.2f}",
        f"{row.kl_divergence:.4f}" + format_range(row.kl_low, row.kl_high, ".4f"),
        f"{100 * row.knn_preservation_10:.1f}",
        f"{100 * row.knn_accuracy_map:.2f}",
        f"{row.runs}",
    ]


def format_table(rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown; the first row is its head."""
    head, *rest = (f"| {' | '.join(row)} |" for row in rows)
    return "\n".join([head, "|---" * head.count(" | ") + "|---|", *rest])


def report(table: pd.DataFrame) -> str:
    """Return the text of docs/benchmark.md, from the runs (compare.COLUMNS)."""
    summary = summarize(table)
    measured = table[table.seconds.notna()]
    run = measured.iloc[0]
    packages = sorted({package for versions in measured.versions for package in versions.split("; ")}, key=str.lower)
    tables = [
        f"## {layer} ({int(rows.dimensions.max()):,} dimensions)\n\n"
        + format_table([HEAD, *(format_cells(row) for _, row in rows.iterrows())])
        for layer, rows in summary.groupby("layer", sort=False)
        if rows.runs.any()
    ]
    missing = summary.dropna(subset="note").groupby(["peer", "note"], sort=False).layer.agg(", ".join).reset_index()
    notes = [f"- **{PEERS[row.peer].name}**, {row.layer}: {row.note}" for row in missing.itertuples()]
    parts = [
        "# t-SNE compared with other implementations",
        "`make bench` measures the implementations and writes this page.\n"
        "[benchmark.csv](benchmark.csv) has every run.",
        "![Seconds and KL divergence of each implementation, one panel per layer](benchmark.png)",
        f"The data are {int(run.points):,} images, embedded with perplexity {PERPLEXITY} on {run.threads} threads.\n"
        f"The machine has {run.cores} cores ({run.processor}) and Python {run.python}.\n"
        "Values are medians, with the range if there was more than one run; times are in seconds.",
        *tables,
        *(["Not measured:\n\n" + "\n".join(notes)] if notes else []),
        "## How it was measured",
        INTRODUCTION,
        "\n".join(f"- **{PEERS[peer].name}**: {PEERS[peer].settings}." for peer in summary.peer.unique()),
        "## Columns",
        MEANING,
        "## Versions",
        "\n".join(f"- {package}" for package in packages),
    ]
    return "\n\n".join(parts) + "\n"


def draw_layer(axes: Axes, rows: pd.DataFrame, peers: Sequence[str]) -> None:
    """Draw the panel of a layer from its rows of the summary: one line for each peer, from top to bottom."""
    remark = {"transform": axes.get_yaxis_transform(), "color": "#808080", **CENTERED}
    for peer in set(peers) - set(rows.peer):
        axes.text(0.5, peers.index(peer), "not run", **remark)
    for _, row in rows.iterrows():
        y = peers.index(row.peer)
        if not row.runs:
            axes.text(0.5, y, "not measured", **remark)
            continue
        axes.plot([row.low, row.high], [y, y], color="black", linewidth=1)
        for column, style in MARKS.items():
            axes.plot(row[column], y, **style)
        axes.text(1.04, y, f"{row.kl_divergence:.2f}", transform=axes.get_yaxis_transform(), **LEFT_ALIGNED)
    axes.text(1.04, -0.95, "KL", transform=axes.get_yaxis_transform(), **LEFT_ALIGNED)
    axes.set_title(f"{rows.layer.iloc[0]} ({int(rows.dimensions.max()):,} dimensions)", loc="left")
    axes.set_yticks(range(len(peers)), [PEERS[peer].name for peer in peers])
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(len(peers) - 0.4, -0.6)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.grid(axis="x", color="#e5e5e5", linewidth=0.5)
    axes.set_axisbelow(True)
    axes.set_xlabel("seconds")


def plot(table: pd.DataFrame) -> Figure:
    """Return the figure of the runs (compare.COLUMNS), one panel for each measured layer, with shared axes."""
    summary = summarize(table)
    layers, peers = table.dropna(subset="seconds").layer.unique(), list(summary.peer.unique())
    figure = Figure((WIDTH, AROUND + ROW * len(peers)), layout="constrained")
    panels = figure.subplots(1, len(layers), squeeze=False, sharex=True, sharey=True)[0]
    for axes, layer in zip(panels, layers, strict=True):
        draw_layer(axes, summary[summary.layer == layer], peers)
    handles = [Line2D([], [], linestyle="", **style) for style in MARKS.values()]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), handletextpad=0.2)
    return figure


def publish(name: str, plot: Callable[[pd.DataFrame], Figure], report: Callable[[pd.DataFrame], str]) -> None:
    """Write docs/{name}.png and docs/{name}.md from the runs in docs/{name}.csv."""
    table = pd.read_csv(f"docs/{name}.csv")
    with matplotlib.rc_context(PAGE_STYLE), atomic_write(f"docs/{name}.png") as part:
        plot(table).savefig(part, format="png", dpi=DPI)
    with atomic_write(f"docs/{name}.md") as part:
        part.write_text(report(table))


if __name__ == "__main__":
    publish("benchmark", plot, report)
