"""Write docs/benchmark.png and docs/benchmark.md from docs/benchmark.csv, which compare.py writes."""

from collections.abc import Callable, Iterable, Sequence

import matplotlib
import numpy as np
import pandas as pd
from compare import PEERS, SECTION
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
Settings that the table does not name are the defaults of each implementation.

In each section, the implementations run in several rounds; another one is the first in each round.
The slow ones run once, for the first layer that is asked for.
Numbers of iterations other than the default run once.
Each run is a separate process; each round has a different seed."""
MEANING = """- *neighbors*: those from which the affinities are computed.
- *iterations*: their number, with those with exaggeration.
- *seconds*: wall-clock time of the call, from the features to the embedding.
- *times this workflow's*: these seconds divided by those of this workflow's default.
- *before the first iteration*: seconds for neighbors, affinities and initialization.
  bh_sne reports CPU seconds.
- *in iterations*: the other seconds of the call.
- *CPU*: CPU seconds of all its threads, user and system.
- *compilation*: seconds of the call in which numba compiled code.
  This workflow compiles in its very first run only, then its code is cached.
- *start-up*: seconds before the call, for Python, the imports and reading the features.
- *process*: seconds of the complete process, including start-up and writing the embedding.
- *peak memory*: that of the process, including the features.
- *KL divergence*: computed exactly and in the same way for all implementations (`kl_divergence`).
  It uses the embedding in single precision and the affinities of exact neighbors at this perplexity.
- *kNN preservation*: share of the 10 nearest neighbors in the features that are among the 10 nearest in the embedding.
  The neighbors in the features are exact.
- *kNN accuracy*: share of images whose label wins the vote of their 10 nearest neighbors in the embedding.

Intermediate results of an interrupted benchmark are in `results/{dataset}/bench`.
When it is started again, it continues from there."""
THREADS = (1, 2, 4, 8, 16)  # with a row in the table of this workflow's seconds
WIDTH, CURVES, ROW, AROUND = 7.0, 2.6, 0.21, 1.1  # inches: of the figure, of the curves, of one peer, and of all else
DPI = 300
AVERAGED = [
    *("seconds", "prepare_seconds", "optimize_seconds", "cpu_seconds", "compile_seconds", "start_seconds"),
    *("process_seconds", "process_cpu_seconds", "peak_mib", "kl_divergence", "knn_preservation_10", "knn_accuracy_map"),
]
MARKS = {
    "prepare_seconds": {
        "label": "before the first iteration",
        "color": "#3f90da",
        "marker": "s",
        "markersize": 3.5,
    },
    "optimize_seconds": {"label": "in iterations", "color": "#e76300", "marker": "D", "markersize": 3.5},
    "seconds": {  # a ring, in which the larger of the two is visible
        "label": "both, with the range of the runs",
        "color": "black",
        "marker": "o",
        "markersize": 6.5,
        "markerfacecolor": "none",
    },
}
COLORS = {  # of the curves; the same color for two sources of neighbors, whose lines differ
    **dict.fromkeys(("ours", "ours_compiled", "ours_pynndescent"), "black"),
    **dict.fromkeys(("openTSNE", "openTSNE_ours"), "#e76300"),
    **dict.fromkeys(("h2pack", "h2pack_ours"), "#3f90da"),
    **{"manifolds": "#92dadd", "sklearnex": "#832db6", "sklearn": "#bd1f01", "bh_sne": "#94a4a2"},
}
OUR_NEIGHBORS = {"openTSNE_ours", "h2pack_ours"}
HEAD = (
    *("", "neighbors", "iterations", "seconds", "times this workflow's", "before the first iteration"),
    *("in iterations", "CPU", "compilation", "start-up", "process", "peak memory (GiB)", "KL divergence"),
    *("kNN preservation (%)", "kNN accuracy (%)", "runs"),
)
CENTERED = {"fontsize": 7, "verticalalignment": "center", "horizontalalignment": "center"}


def summarize(table: pd.DataFrame) -> pd.DataFrame:
    """Return a summary of the runs (compare.COLUMNS): a row for each SECTION, peer and number of iterations.

    The order is that of PEERS and of the number of iterations. Columns: those of SECTION, peer, iterations, dimensions,
    points; runs, the number of those measured; the medians of AVERAGED; low and high, the range of the seconds, and
    kl_low and kl_high; ratio, the median seconds divided by those of this workflow's default in the same section;
    default, whether the number of iterations is the peer's default; note, why a peer was not measured. Unknown values
    are missing.
    """
    orders = {column: list(table[column].unique()).index for column in SECTION} | {"peer": list(PEERS).index}
    groups = table.groupby([*SECTION, "peer", "iterations"])
    summary = groups[AVERAGED].median()
    for name, column in ("", "seconds"), ("kl_", "kl_divergence"):
        summary[f"{name}low"], summary[f"{name}high"] = groups[column].min(), groups[column].max()
    summary["runs"], summary["note"] = groups.seconds.count(), groups.note.first()
    summary[["dimensions", "points"]] = groups[["dimensions", "points"]].max()
    summary = summary.reset_index().sort_values(
        ["threads", "dataset", "layer", "peer", "iterations"],
        key=lambda column: column.map(orders.get(column.name, int)),
        ignore_index=True,
    )
    summary["default"] = summary.iterations == summary.peer.map(lambda peer: PEERS[peer].iterations[0])
    ours = summary[(summary.peer == "ours") & summary.default].set_index(list(SECTION)).seconds
    summary["ratio"] = summary.seconds / summary[list(SECTION)].join(ours, on=SECTION).seconds
    return summary


def name_threads(threads: int) -> str:
    """Return a number of threads in words."""
    return f"{threads} thread{'s' if threads > 1 else ''}"


def format_section(rows: pd.DataFrame) -> str:
    """Return the title of a section, from its rows of the summary."""
    first, (points, dimensions) = rows.iloc[0], rows[["points", "dimensions"]].max().astype(int)
    threads = name_threads(first.threads)
    return f"{first.dataset}, {first.layer}: {points:,} images, {dimensions:,} dimensions, {threads}"


def format_digits(value: float) -> str:
    """Return a number with three digits; from 100 on, without decimals."""
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:,.0f}"


def format_range(low: float, high: float, form: str | None = None) -> str:
    """Return the range of several runs in brackets, or nothing for a single run."""
    texts = [format(value, form) if form else format_digits(value) for value in (low, high)]
    return f" [{texts[0]}-{texts[1]}]" if low < high else ""


def format_cells(row: pd.Series) -> list[str]:
    """Return the cells (HEAD) of a row of the summary."""
    peer = PEERS[row.peer]
    head = [peer.name, peer.neighbors, f"{row.iterations:,}" + " (default)" * row.default]
    if not row.runs:
        return [*head, *[""] * (len(HEAD) - 4), "0"]
    ratio = "" if np.isnan(row.ratio) else format_digits(row.ratio)
    return [
        *head,
        format_digits(row.seconds) + format_range(row.low, row.high),
        ratio,
        *map(format_digits, (row.prepare_seconds, row.optimize_seconds, row.cpu_seconds, row.compile_seconds)),
        *map(format_digits, (row.start_seconds, row.process_seconds)),
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


def format_threads(summary: pd.DataFrame) -> str:
    """Return the table of this workflow's seconds for each number of threads, from the summary; empty if unknown."""
    ours = summary[(summary.peer == "ours") & summary.default]
    columns = list(ours.groupby(["dataset", "layer"], sort=False).groups)
    seconds = ours.set_index(["threads", "dataset", "layer"]).seconds.map(format_digits)
    rows = [
        [f"{threads}", *(seconds.get((threads, *column), "") for column in columns)]
        for threads in sorted({*THREADS, *ours.threads})
    ]
    return format_table([["threads", *map(", ".join, columns)], *rows])


def report(table: pd.DataFrame) -> str:
    """Return the text of docs/benchmark.md, from the runs (compare.COLUMNS)."""
    summary = summarize(table)
    measured = table[table.seconds.notna()]
    machines = measured[["cores", "processor", "python"]].drop_duplicates().itertuples(index=False)
    packages = sorted({package for versions in measured.versions for package in versions.split("; ")}, key=str.lower)
    tables = [
        f"## {format_section(rows)}\n\n" + format_table([HEAD, *(format_cells(row) for _, row in rows.iterrows())])
        for _, rows in summary.groupby(list(SECTION), sort=False)
        if rows.runs.any()
    ]
    missing = summary.dropna(subset="note").groupby(["peer", "note"], sort=False).layer.agg(", ".join).reset_index()
    notes = [f"- **{PEERS[row.peer].name}**, {row.layer}: {row.note}" for row in missing.itertuples()]
    parts = [
        "# t-SNE compared with other implementations",
        "`make bench` measures the implementations and writes this page.\n"
        "[benchmark.csv](benchmark.csv) has every run.",
        "![KL divergence over seconds, and seconds of each implementation, one column per layer](benchmark.png)",
        f"The perplexity is {PERPLEXITY}.\n"
        + "".join(f"The machine has {cores} cores ({name}) and Python {python}.\n" for cores, name, python in machines)
        + "Values are medians, with the range if there was more than one run; times are in seconds.\n"
        f"The figure shows the runs on {name_threads(most_threads(table))}.\n"
        "Its upper panels show all numbers of iterations; a large mark is the default.\n"
        "Its lower panels show the defaults.",
        *tables,
        "## Number of threads",
        "Seconds of this workflow's default.\n"
        '`make bench BENCH="--threads 8 --peers ours openTSNE"` measures another number of threads.\n'
        "A cell is empty if its number of threads has not been measured.",
        format_threads(summary),
        *(["Not measured:\n\n" + "\n".join(notes)] if notes else []),
        "## How it was measured",
        INTRODUCTION,
        "\n".join(f"- **{PEERS[peer].name}**: {PEERS[peer].settings}." for peer in PEERS if peer in set(summary.peer)),
        "## Columns",
        MEANING,
        "## Versions",
        "\n".join(f"- {package}" for package in packages),
    ]
    return "\n\n".join(parts) + "\n"


def draw_curves(axes: Axes, rows: pd.DataFrame) -> None:
    """Draw the KL divergence over the seconds of each peer from the rows of a section of the summary."""
    for peer, runs in rows[rows.runs > 0].groupby("peer", sort=False):
        style = {"color": COLORS[peer], "linestyle": "--" if peer in OUR_NEIGHBORS else "-", "linewidth": 0.8}
        face = {"markerfacecolor": "white" if peer in OUR_NEIGHBORS | {"ours_compiled"} else COLORS[peer]}
        axes.plot(runs.seconds, runs.kl_divergence, marker="o", markersize=2.5, **style, **face)
        default = runs[runs.default]
        axes.plot(
            default.seconds, default.kl_divergence, marker="o", markersize=5.5, label=PEERS[peer].name, **style, **face
        )
    axes.set_title("{}, {}".format(*rows[["dataset", "layer"]].iloc[0]), loc="left")


def draw_times(axes: Axes, rows: pd.DataFrame, peers: Sequence[str]) -> None:
    """Draw the times of each peer's default from the rows of a section of the summary, from top to bottom."""
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
    axes.set_yticks(range(len(peers)), [PEERS[peer].name for peer in peers])
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(len(peers) - 0.4, -0.6)


def most_threads(table: pd.DataFrame) -> int:
    """Return the number of threads of the most runs (compare.COLUMNS)."""
    return int(table.dropna(subset="seconds").threads.mode()[0])


def plot(table: pd.DataFrame) -> Figure:
    """Return the figure of the runs (compare.COLUMNS) on the number of threads of the most runs.

    There is a column for each data set and layer with any measurement; all have the same axes.
    """
    summary = summarize(table[table.threads == most_threads(table)])
    sections = [rows for _, rows in summary.groupby(list(SECTION), sort=False) if rows.runs.any()]
    peers = [peer for peer in PEERS if peer in set(summary.peer)]
    times = ROW * len(peers)
    figure = Figure((WIDTH, AROUND + CURVES + times), layout="constrained")
    panels = figure.subplots(2, len(sections), squeeze=False, sharex=True, sharey="row", height_ratios=(CURVES, times))
    for (curves, below), rows in zip(panels.T, sections, strict=True):
        draw_curves(curves, rows)
        draw_times(below, rows[rows.default], peers)
        below.set_xscale("log")
        below.xaxis.set_major_formatter("{x:g}")
        below.xaxis.set_minor_formatter(NullFormatter())
        below.set_xlabel("seconds")
        for axes in (curves, below):
            axes.grid(axis="both" if axes is curves else "x", color="#e5e5e5", linewidth=0.5)
            axes.set_axisbelow(True)
    panels[0, 0].set_ylabel("KL divergence")
    panels[0, 0].legend(fontsize=6, handlelength=2.5)
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
