# What is said beside the jobs' own words: of a target that is not there, and as the last lines on the terminal.

import atexit
import difflib
import re
import sys
import time
from pathlib import Path

from snakemake.cli import get_argument_parser

STARTED = time.time()


def check_targets():
    """Raise WorkflowError, which says what to do, if what the command line asks for is no target, or a report too early."""
    if not workflow.modifier.is_main_snakefile() or not workflow.is_main_process or "snakemake" not in sys.argv[0]:
        return
    asked, _ = get_argument_parser().parse_known_args(sys.argv[1:])
    names = [*SETTINGS, "all", "scatters", "thumbnails", "filters", "comparisons"]
    producers = list(workflow.rules)
    known = {*names, *(producer.name for producer in producers)}
    for target in asked.targets:
        if target in known or Path(target).exists() or any(producer.is_producer(target) for producer in producers):
            continue
        files = [file for dataset in SETTINGS for file in everything_of(dataset)]
        near = difflib.get_close_matches(target, files, n=1) if "/" in target else []
        raise WorkflowError(f"there is no target {target}{nearest(target, near or names)}")
    if asked.report and not asked.targets:
        missing = [dataset for dataset in config["make"] if not is_made(dataset)]
        if missing:
            others = [dataset for dataset in SETTINGS if is_made(dataset)]
            files = f" --configfile {' '.join(map(str, asked.configfile))}" if asked.configfile else ""
            hint = f"; for that of what is there: snakemake --report {asked.report}{files} -- {' '.join(others)}"
            raise WorkflowError(
                f"{', '.join(missing)} is not made yet, and has no report: snakemake --cores all{files} makes it"
                + (hint if others else "")
            )


def is_made(dataset):
    """Whether everything of a data set is there, be it stale or not."""
    return all(Path(file).exists() for file in everything_of(dataset))


def say_last(text):
    """Write a text after all that Snakemake writes."""
    if text:
        atexit.register(lambda: print(text, file=sys.stderr, flush=True))


def what_to_look_at():
    """What was made in this run and is to be looked at first: layers side by side and explorers, else the figures."""
    made = [
        f"results/{place}"
        for dataset in SETTINGS
        for place in (f"figures/{dataset}_tSNE_layers.png", f"{dataset}/explorer.html")
    ]
    new = [path for path in made if Path(path).exists() and Path(path).stat().st_mtime >= STARTED]
    new = new or [
        path for path in map(str, Path("results/figures").glob("*.eps")) if Path(path).stat().st_mtime >= STARTED
    ]
    return f"To look at: {', '.join(sorted(new))}" if new else ""


def why_it_failed(logs):
    """The line in which each job that failed says why, by what Snakemake has logged; of one that was killed, what to do."""
    text = "".join(Path(log).read_text() for log in logs)
    found = []
    for path in re.findall(r"^    log: (.+) \(check log file", text, re.M):
        lines = Path(path).read_text(errors="replace").splitlines() if Path(path).exists() else []
        found += [line for line in lines if ": error: " in line][-1:]
    if "died with <Signals.SIGKILL: 9>" in text:
        found.append(
            "A job was killed, which its log cannot tell: if by the system, for its memory, run fewer jobs at once "
            "(--cores 1), or where there is more memory; then run again: what is finished stays."
        )
    return "\n".join(dict.fromkeys(found))


check_targets()
