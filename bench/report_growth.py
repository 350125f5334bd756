"""Write docs/growth.png and docs/growth.md from docs/growth.csv, which growth.py writes."""

import numpy as np
import pandas as pd
from growth import STAGES
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter
from run_peer import PERPLEXITY

from report import format_digits, format_table, publish

MNIST_IMAGES = 70_000  # the others are deformations
TOTAL = "total"
PARTS = ["neighbors", "affinities", "optimization"]  # of the total
SIZE = (7.0, 3.5)  # inches
MARGINS = {
    "left": 0.11,
    "right": 0.97,
    "bottom": 0.38,
    "top": 0.93,
}  # of each half, with a legend below the axes
STYLES = {
    "neighbors": {"color": "#3f90da", "marker": "s"},
    "affinities": {"color": "#92dadd", "marker": "v"},
    "optimization": {"color": "#e76300", "marker": "D"},
    "divergence": {"color": "#94a4a2", "marker": "x"},
    TOTAL: {"color": "black", "marker": "o", "markerfacecolor": "none"},
}
MEANING = """- *seconds*: wall-clock time of the stage.
- *CPU*: CPU time of all its threads.
- *process*: time of the process, including imports, reading the files of the stage before, and writing.
- *total*: neighbors, affinities and optimization, without the exact KL divergence, which is a score.
- *peak memory*: that of the process of the stage; for the total, the largest of the stages.
  Pages of memory-mapped files count, although the system can release them.
- *exponent*: b of the power law a n^b, fitted by least squares to log(seconds) over log(n).
  The fit uses the measurements between the two numbers of images in the head of the column.
  Constant costs reduce the exponent for few images.
- *kNN accuracy*: share of sampled images whose label wins the vote of their 10 nearest neighbors in the embedding.
- *kNN preservation*: share of their 10 nearest neighbors in the features that are among these.

No code is compiled within the measured time.

For the times, the lines in the figure are power laws: one up to MNIST's 70,000 images, one from there on.
For the memory, they are a + b n, fitted by least squares of the relative errors.

Intermediate results of an interrupted benchmark are in `results/deformed/bench`.
When it is started again, it continues from there."""


def add_total(table: pd.DataFrame) -> pd.DataFrame:
    """Return the measured rows (growth.COLUMNS) and the total of PARTS for each number of images that has them all."""
    table = table.dropna(subset="seconds")
    parts = table[table.stage.isin(PARTS)].groupby("points")
    times = ["seconds", "cpu_seconds", "process_seconds"]
    totals = parts[times].sum().assign(peak_mib=parts.peak_mib.max(), stage=TOTAL)
    return pd.concat([table, totals[parts.size() == len(PARTS)].reset_index()], ignore_index=True)


def fit_power_law(points: pd.Series, values: pd.Series) -> tuple[float, float]:
    """Return the exponent b and the factor a of a power law a n^b, by least squares of the logarithms."""
    exponent, intercept = np.polyfit(np.log(points.astype(float)), np.log(values), 1)
    return float(exponent), float(np.exp(intercept))


def fit_ranges(points: np.ndarray) -> list[tuple[int, int]]:
    """Return the ranges of the numbers of images: of all, and up to and from those of MNIST if both exist."""
    low, high = int(min(points)), int(max(points))
    is_divided = low < MNIST_IMAGES < high and MNIST_IMAGES in points
    return [(low, high), *([(low, MNIST_IMAGES), (MNIST_IMAGES, high)] if is_divided else [])]


def tabulate_exponents(table: pd.DataFrame) -> str:
    """Return the table of the exponents of the seconds, from `add_total`: one row for each stage."""
    columns = fit_ranges(table.points.unique())
    rows = [["", *(f"{low:,} to {high:,}" for low, high in columns)]]
    for stage in (TOTAL, *(stage for stage in STAGES if stage in STYLES)):
        of_stage = table[table.stage == stage]
        within = [of_stage[of_stage.points.between(*limits)] for limits in columns]
        rows.append(
            [stage, *(f"{fit_power_law(part.points, part.seconds)[0]:.2f}" if len(part) > 1 else "" for part in within)]
        )
    return format_table(rows)


def tabulate_stage(table: pd.DataFrame, stage: str) -> str:
    """Return the table of a stage, from `add_total`: one row for each number of images."""
    head = ["images", "seconds", "CPU", "process", "peak memory (GiB)"]
    results = {
        "recall": ("recall", "{:.5f}"),
        "plan": ("method", "{}"),
        "kl_divergence": ("KL divergence", "{:.4f}"),
        "knn_accuracy_map": ("kNN accuracy (%)", "{:.2%}"),
        "knn_preservation_10": ("kNN preservation (%)", "{:.1%}"),
    }
    rows = table[table.stage == stage]
    columns = [column for column in results if rows[column].notna().any()]
    return format_table(
        [
            [*head, *(results[column][0] for column in columns)],
            *(
                [
                    f"{row.points:,}",
                    *map(format_digits, (row.seconds, row.cpu_seconds, row.process_seconds)),
                    f"{row.peak_mib / 1024:.2f}",
                    *(results[column][1].format(row[column]).rstrip("%") for column in columns),
                ]
                for _, row in rows.iterrows()
            ),
        ]
    )


def report(table: pd.DataFrame) -> str:
    """Return the text of docs/growth.md, from the rows (growth.COLUMNS)."""
    rows, run = add_total(table), table.dropna(subset="seconds").iloc[0]
    descriptions = {name: stage.description for name, stage in STAGES.items()}
    descriptions[TOTAL] = "Sum of the first three stages"
    failed = [f"- {row.points:,} images, {row.stage}: {row.note}" for row in table.dropna(subset="note").itertuples()]
    parts = [
        "# Scaling of t-SNE with the number of images",
        "`make growth` measures each stage and writes this page; [growth.csv](growth.csv) has all measurements.",
        "![Seconds and peak memory of each stage against the number of images, on logarithmic scales](growth.png)",
        f"The images have {int(run.dimensions)} pixels and are embedded with perplexity {PERPLEXITY} "
        f"on {run.threads} threads.\n"
        f"The machine has {run.cores} cores ({run.processor}) and Python {run.python}.\nTimes are in seconds.",
        f"The first {MNIST_IMAGES:,} images are all those of MNIST, in random order.\n"
        "The others are elastic deformations of these ([deform.py](../bench/deform.py)).\n"
        "Any number of first images is therefore a representative sample.",
        f"## Exponents\n\n{tabulate_exponents(rows)}",
        *(
            f"## {stage}\n\n{descriptions[stage]}.\n\n{tabulate_stage(rows, stage)}"
            for stage in descriptions
            if (rows.stage == stage).any()
        ),
        *(["Not measured:\n\n" + "\n".join(failed)] if failed else []),
        "## Columns",
        MEANING,
        "## Versions",
        "\n".join(f"- {package}" for package in sorted(run.versions.split("; "), key=str.lower)),
    ]
    return "\n\n".join(parts) + "\n"


def fit_line(points: pd.Series, values: pd.Series) -> tuple[float, float]:
    """Return the slope b and the constant a of a line a + b n, by least squares of the relative errors."""
    slope, constant = np.polyfit(points, values, 1, w=1 / values)
    return float(slope), float(constant)


def draw_seconds(axes: Axes, points: pd.Series, seconds: pd.Series, style: dict[str, str], stage: str) -> None:
    """Draw the seconds of a stage over the number of images, with the power law that fits each range."""
    exponents = []
    ranges = fit_ranges(points.to_numpy())
    for limits in ranges[1:] or ranges:
        part = points[points.between(*limits)]
        exponent, factor = fit_power_law(part, seconds[part.index])
        axes.plot(part, factor * part.astype(float) ** exponent, color=style["color"], linewidth=0.8)
        exponents.append(f"$n^{{{exponent:.2f}}}$")
    label = f"{stage}, {' then '.join(exponents)}"
    axes.plot(points, seconds, linestyle="", markersize=4, label=label, **style)


def draw_memory(axes: Axes, points: pd.Series, mib: pd.Series, style: dict[str, str], stage: str) -> None:
    """Draw the peak memory of a stage over the number of images, with the line that fits it, a curve on these axes."""
    slope, constant = fit_line(points, mib)
    x = np.geomspace(points.min(), points.max())
    axes.plot(x, (constant + slope * x) / 1024, color=style["color"], linewidth=0.8)
    label = f"{stage}, {1024 * slope:.1f} KiB an image"
    axes.plot(points, mib / 1024, linestyle="", markersize=4, label=label, **style)


def label_axes(axes: Axes, points: np.ndarray, title: str) -> None:
    """Make both axes logarithmic, and mark the measured numbers of images."""
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xticks(points, [f"{number:,}" for number in points], rotation=45, ha="right", rotation_mode="anchor")
    axes.set_xticks([], minor=True)
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 3)))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.grid(color="#e5e5e5", linewidth=0.5)
    axes.set_axisbelow(True)
    axes.set_xlabel("images")
    axes.set_title(title, loc="left")


def plot(table: pd.DataFrame) -> Figure:
    """Return the figure of the rows (growth.COLUMNS): seconds and peak memory of each stage, with their fits."""
    rows = add_total(table)
    figure = Figure(SIZE)
    parts = figure.subfigures(1, 2)
    left, right = (part.subplots(gridspec_kw=MARGINS) for part in parts)
    for stage, style in STYLES.items():
        of_stage = rows[rows.stage == stage]
        if len(of_stage) > 1:
            draw_seconds(left, of_stage.points, of_stage.seconds, style, stage)
            if stage != TOTAL:
                draw_memory(right, of_stage.points, of_stage.peak_mib, style, stage)
    for axes, title in (left, "seconds"), (right, "peak memory of the stage's process (GiB)"):
        label_axes(axes, np.sort(rows.points.unique()), title)
    for part in parts:  # below the axes
        part.legend(loc="upper center", bbox_to_anchor=(0.5, 0.17), ncols=2, handletextpad=0.2, columnspacing=1)
    return figure


if __name__ == "__main__":
    publish("growth", plot, report)
