"""What the user reads on the terminal beside the messages of jobs."""

import atexit
import difflib
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from common.errors import UserError, suggest
from common.text import join_words

KILLED = (
    "A job was killed, which its log cannot tell. If it was killed for its memory, run fewer jobs at once (--cores 1), "
    "or use a machine with more memory. Then run the command again: finished files are kept."
)


def is_complete(files: Iterable[str]) -> bool:
    """Return whether all files exist, stale or not."""
    return all(Path(file).exists() for file in files)


def check_datasets(requested: Sequence[str], invalid: Mapping[str, str]) -> None:
    """Raise UserError if a requested target belongs to an invalid data set; `invalid` has the reasons by its name."""
    for target in requested:
        for dataset, reason in invalid.items():
            if target == dataset or target.startswith((f"results/{dataset}/", f"results/figures/{dataset}_")):
                raise UserError(f"configuration: {reason}")


def check_targets(
    requested: Sequence[str], later: Sequence[str], rules: Iterable[Any], files: Mapping[str, Sequence[str]]
) -> None:
    """Raise UserError if a requested target is neither a rule nor a file that a rule makes.

    `later` are the names of rules that are defined afterwards, `files` those of each data set, by its name.
    """
    rules = list(rules)
    names = [*files, *later, *(rule.name for rule in rules if not rule.output and rule.name not in files)]
    known = {*names, *(rule.name for rule in rules)}
    for target in requested:
        if target in known or Path(target).exists() or any(rule.is_producer(target) for rule in rules):
            continue
        paths = [path for paths in files.values() for path in paths]
        near = difflib.get_close_matches(target, paths, n=1) if "/" in target else []
        raise UserError(f"there is no target {target}. {suggest(target, near or names)}")


def check_report(
    report: str, configfiles: Sequence[Any], make: Sequence[str], files: Mapping[str, Sequence[str]]
) -> None:
    """Raise UserError if a report is requested before the data sets in `make` are complete."""
    missing = [dataset for dataset in make if not is_complete(files[dataset])]
    if not missing:
        return
    options = f" --configfile {' '.join(map(str, configfiles))}" if configfiles else ""
    complete = [dataset for dataset in files if is_complete(files[dataset])]
    hint = f" For a report of what exists: snakemake --report {report}{options} -- {' '.join(complete)}"
    which, pronoun = (f"{missing[0]} is", "it") if len(missing) == 1 else (f"{join_words(missing)} are", "them")
    raise UserError(
        f"{which} not complete yet, so there is no report of {pronoun}. Run snakemake --cores all{options}."
        + (hint if complete else "")
    )


def print_last(text: str) -> None:
    """Print a text after everything that Snakemake prints."""
    if text:
        atexit.register(lambda: print(text, file=sys.stderr, flush=True))


def list_new_results(datasets: Iterable[str], started: float) -> str:
    """Return the line that names what was made since `started`: overview figures and explorers, else the figures."""

    def is_new(path: Path) -> bool:
        return path.exists() and path.stat().st_mtime >= started

    overviews = [
        Path("results") / name
        for dataset in datasets
        for name in (f"figures/{dataset}_tSNE_layers.png", f"{dataset}/explorer.html")
    ]
    new = [path for path in overviews if is_new(path)]
    new = new or [path for path in Path("results/figures").glob("*.eps") if is_new(path)]
    return f"To look at: {', '.join(sorted(map(str, new)))}" if new else ""


def explain_failure(logs: Iterable[str]) -> str:
    """Return the line in which each failed job says why, from Snakemake's logs; and what to do after a kill."""
    text = "".join(Path(log).read_text() for log in logs)
    reasons = []
    for path in re.findall(r"^    log: (.+) \(check log file", text, re.M):
        lines = Path(path).read_text(errors="replace").splitlines() if Path(path).exists() else []
        reasons += [line for line in lines if ": error: " in line][-1:]
    if "died with <Signals.SIGKILL: 9>" in text:
        reasons.append(KILLED)
    return "\n".join(dict.fromkeys(reasons))
