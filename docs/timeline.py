"""Draw which jobs of a finished run on MNIST ran when, and which had to wait for which: docs/timeline.png.

    cd FOLDER_OF_THE_RUN; PYTHONPATH=scripts python docs/timeline.py

Snakemake records in .snakemake/metadata when each file was made, and from what.
"""

import json
from base64 import urlsafe_b64decode
from pathlib import Path

import matplotlib
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from common.figures.style import PAGE_STYLE, PAGE_WIDTH
from common.files import atomic_write

DATASET = "MNIST"
ROW, AROUND = 0.16, 0.75  # inches: of a rule, and of all else
COLORS = {True: "#e76300", False: "#94a4a2"}  # of jobs on the critical path, and of the others
DPI = 300


def load_jobs(metadata: Path, dataset: str) -> pd.DataFrame:
    """Return the jobs of a data set in the order of their start.

    Columns: rule, log, start and end in seconds since the first start, and inputs, a list of logs: of the jobs that
    made its input files.
    """
    made, jobs = {}, {}
    for path in metadata.rglob("*"):
        if path.is_file():
            record = json.loads(path.read_text())
            logs = [log for log in record["log"] if f"/{dataset}/" in log or f"/{dataset}." in log]
            if logs:
                made[decode_name(path.relative_to(metadata))] = logs[0]
                jobs[logs[0]] = record
    rows = [
        {
            "rule": record["rule"],
            "log": log,
            "start": record["starttime"],
            "end": record["endtime"],
            "inputs": sorted({made[path] for path in record["input"] if path in made}),
        }
        for log, record in jobs.items()
    ]
    table = pd.DataFrame(rows).sort_values("start", ignore_index=True)
    first = table.start.min()
    return table.assign(start=table.start - first, end=table.end - first)


def decode_name(path: Path) -> str:
    """Return the file that a record of Snakemake is about: its own name is that in base64, cut into folders if long."""
    name = "".join(part.removeprefix("@") for part in path.parts)
    return urlsafe_b64decode(name + "=" * (-len(name) % 4)).decode()


def find_critical_path(jobs: pd.DataFrame) -> list[str]:
    """Return the logs of the critical path, the first job first.

    It ends with the job that ended last; before each job comes the one that made its last input.
    """
    by_log = jobs.set_index("log")
    path = [by_log.end.idxmax()]
    while by_log.inputs[path[0]]:
        path.insert(0, by_log.end[by_log.inputs[path[0]]].idxmax())
    return path


def plot_timeline(jobs: pd.DataFrame) -> Figure:
    """Return a figure with a row for each rule and a bar for each job, those of the critical path in another color."""
    rules, critical = list(jobs.rule.unique()), set(find_critical_path(jobs))
    figure = Figure((PAGE_WIDTH, AROUND + ROW * len(rules)), layout="constrained")
    axes = figure.subplots()
    for job in jobs.itertuples():
        minutes = job.start / 60, (job.end - job.start) / 60
        axes.barh(rules.index(job.rule), minutes[1], left=minutes[0], height=0.8, color=COLORS[job.log in critical])
        axes.plot(minutes[0], rules.index(job.rule), "|", color="white", markersize=5, markeredgewidth=0.6)
    axes.set_yticks(range(len(rules)), rules, family="monospace")
    axes.set_ylim(len(rules) - 0.4, -0.6)
    axes.set_xlim(0, jobs.end.max() / 60)
    axes.set_xlabel("minutes")
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color="#e5e5e5", linewidth=0.5)
    axes.set_axisbelow(True)
    names = {True: "critical path: each job waited for the one before", False: "other jobs"}
    handles = [Line2D([], [], color=COLORS[key], linewidth=5, label=name) for key, name in names.items()]
    figure.legend(handles=handles, loc="outside upper right", ncols=2)
    return figure


if __name__ == "__main__":
    jobs = load_jobs(Path(".snakemake/metadata"), DATASET)
    by_log = jobs.set_index("log")
    for log in find_critical_path(jobs):
        print(f"{by_log.start[log]:6.0f} to {by_log.end[log]:4.0f} s  {log}")
    print(f"all jobs: {(jobs.end - jobs.start).sum():.0f} s")
    with matplotlib.rc_context(PAGE_STYLE), atomic_write("docs/timeline.png") as part:
        plot_timeline(jobs).savefig(part, format="png", dpi=DPI)
