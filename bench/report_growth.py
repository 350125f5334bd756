"""Draw and write docs/growth.png and docs/growth.md, from the docs/growth.csv of growth.py."""

import numpy as np
import pandas as pd
from growth import STAGES
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter
from run_peer import PERPLEXITY

from report import digits, publish, table_of

OWN = 70_000  # images that are MNIST's own
TOTAL = "total"
PARTS = ["neighbors", "affinities", "optimization"]  # of the total
SIZE = (7.0, 3.5)  # inches
ROOM = {"left": 0.11, "right": 0.97, "bottom": 0.38, "top": 0.93}  # of the axes, in each half, with a legend below
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

No code is compiled within the measured time.

For the times, the lines in the figure are power laws: one up to MNIST's 70,000 images, one from there on.
For the memory, they are a + b n, fitted by least squares of the relative errors.

Intermediate results of an interrupted benchmark are in `results/deformed/bench`.
When it is started again, it continues from there."""


def with_total(table: pd.DataFrame) -> pd.DataFrame:
    """The measured rows (growth.COLUMNS), with one more for each number of images that has all PARTS: their total."""
    table = table.dropna(subset="seconds")
    parts = table[table.stage.isin(PARTS)].groupby("points")
    times = ["seconds", "cpu_seconds", "process_seconds"]
    totals = parts[times].sum().assign(peak_mib=parts.peak_mib.max(), stage=TOTAL)
    return pd.concat([table, totals[parts.size() == len(PARTS)].reset_index()], ignore_index=True)


def power(points: pd.Series, values: pd.Series) -> tuple[float, float]:
    """The exponent b and the factor a of the power law a n^b of the values, by least squares of their logarithms."""
    exponent, intercept = np.polyfit(np.log(points.astype(float)), np.log(values), 1)
    return float(exponent), float(np.exp(intercept))


def spans(points: np.ndarray) -> list[tuple[int, int]]:
    """The first and last of the numbers of images: of all; and where there are more than MNIST's, of both parts."""
    low, high = int(min(points)), int(max(points))
    return [(low, high), *([(low, OWN), (OWN, high)] if low < OWN < high and OWN in points else [])]


def exponents(table: pd.DataFrame) -> str:
    """The table of the exponents of the seconds, a row a stage, a column a span; of `with_total`."""
    columns = spans(table.points.unique())
    rows = [["", *(f"{low:,} to {high:,}" for low, high in columns)]]
    for stage in (TOTAL, *STAGES):
        of_stage = table[table.stage == stage]
        within = [of_stage[of_stage.points.between(*span)] for span in columns]
        rows.append(
            [stage, *(f"{power(part.points, part.seconds)[0]:.2f}" if len(part) > 1 else "" for part in within)]
        )
    return table_of(rows)


def measurements(table: pd.DataFrame, stage: str) -> str:
    """The table of a stage's rows of `with_total`, one a number of images."""
    head = ["images", "seconds", "CPU", "process", "peak memory (GiB)"]
    found = {"recall": ("recall", "{:.5f}"), "plan": ("method", "{}"), "kl_divergence": ("KL divergence", "{:.4f}")}
    rows = table[table.stage == stage]
    kept = [column for column in found if rows[column].notna().any()]
    return table_of(
        [
            [*head, *(found[column][0] for column in kept)],
            *(
                [
                    f"{row.points:,}",
                    *map(digits, (row.seconds, row.cpu_seconds, row.process_seconds)),
                    f"{row.peak_mib / 1024:.2f}",
                    *(found[column][1].format(row[column]) for column in kept),
                ]
                for _, row in rows.iterrows()
            ),
        ]
    )


def report(table: pd.DataFrame) -> str:
    """The text of docs/growth.md, of the rows (growth.COLUMNS)."""
    rows, one = with_total(table), table.dropna(subset="seconds").iloc[0]
    failed = [f"- {row.points:,} images, {row.stage}: {row.note}" for row in table.dropna(subset="note").itertuples()]
    parts = [
        "# Scaling of t-SNE with the number of images",
        "`make growth` measures each stage and writes this page; [growth.csv](growth.csv) has all measurements.",
        "![Seconds and peak memory of each stage against the number of images, on logarithmic scales](growth.png)",
        f"The images have {int(one.dimensions)} pixels and are embedded with perplexity {PERPLEXITY} "
        f"on {one.threads} threads.\n"
        f"The machine has {one.cores} cores ({one.processor}) and Python {one.python}.\nTimes are in seconds.",
        f"The first {OWN:,} images are all those of MNIST, in random order.\n"
        "The others are elastic deformations of these ([deform.py](../bench/deform.py)).\n"
        "Any number of first images is therefore a representative sample.",
        f"## Exponents\n\n{exponents(rows)}",
        *(
            f"## {stage}\n\n{f'{STAGES[stage].does}.' if stage in STAGES else 'Sum of the first three stages.'}\n\n"
            + measurements(rows, stage)
            for stage in (*STAGES, TOTAL)
            if (rows.stage == stage).any()
        ),
        *(["Not measured:\n\n" + "\n".join(failed)] if failed else []),
        "## Columns",
        MEANING,
        "## Versions",
        "\n".join(f"- {package}" for package in sorted(one.versions.split("; "), key=str.lower)),
    ]
    return "\n\n".join(parts) + "\n"


def linear(points: pd.Series, values: pd.Series) -> tuple[float, float]:
    """The slope b and the constant a of the line a + b n of the values, by least squares of the relative errors."""
    slope, constant = np.polyfit(points, values, 1, w=1 / values)
    return float(slope), float(constant)


def draw_seconds(axes: Axes, points: pd.Series, seconds: pd.Series, style: dict[str, str], stage: str) -> None:
    """A stage's seconds over the number of images, with the power law that was fitted to each part."""
    exponents = []
    for span in spans(points.to_numpy())[1:] or spans(points.to_numpy()):
        part = points[points.between(*span)]
        exponent, factor = power(part, seconds[part.index])
        axes.plot(part, factor * part.astype(float) ** exponent, color=style["color"], linewidth=0.8)
        exponents.append(f"$n^{{{exponent:.2f}}}$")
    label = f"{stage}, {' then '.join(exponents)}"
    axes.plot(points, seconds, linestyle="", markersize=4, label=label, **style)


def draw_memory(axes: Axes, points: pd.Series, mib: pd.Series, style: dict[str, str], stage: str) -> None:
    """A stage's peak memory over the number of images, with the line that was fitted, a curve here, and its slope."""
    slope, constant = linear(points, mib)
    along = np.geomspace(points.min(), points.max())
    axes.plot(along, (constant + slope * along) / 1024, color=style["color"], linewidth=0.8)
    label = f"{stage}, {1024 * slope:.1f} KiB an image"
    axes.plot(points, mib / 1024, linestyle="", markersize=4, label=label, **style)


def label_axes(axes: Axes, points: np.ndarray, title: str) -> None:
    """Both axes logarithmic, with the numbers of images that there are."""
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
    """The figure of the rows (growth.COLUMNS): seconds and peak memory of each stage, with what was fitted to them."""
    rows = with_total(table)
    figure = Figure(SIZE)
    parts = figure.subfigures(1, 2)
    left, right = (part.subplots(gridspec_kw=ROOM) for part in parts)
    for stage, style in STYLES.items():
        of_stage = rows[rows.stage == stage]
        if len(of_stage) > 1:
            draw_seconds(left, of_stage.points, of_stage.seconds, style, stage)
            if stage != TOTAL:
                draw_memory(right, of_stage.points, of_stage.peak_mib, style, stage)
    for axes, title in (left, "seconds"), (right, "peak memory of the stage's process (GiB)"):
        label_axes(axes, np.sort(rows.points.unique()), title)
    for part in parts:  # below, where no marks are
        part.legend(loc="upper center", bbox_to_anchor=(0.5, 0.17), ncols=2, handletextpad=0.2, columnspacing=1)
    return figure


if __name__ == "__main__":
    publish("growth", plot, report)
