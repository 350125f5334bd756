"""What the user reads on the terminal beside the messages of jobs."""

import os
import subprocess
import sys
from dataclasses import dataclass, field

import pytest

from common.errors import UserError
from common.workflow.messages import (
    KILLED,
    check_datasets,
    check_report,
    check_targets,
    explain_failure,
    is_complete,
    list_new_results,
)
from helpers import ROOT


@dataclass
class Rule:
    """What check_targets needs of a rule of Snakemake."""

    name: str
    output: list[str] = field(default_factory=list)

    def is_producer(self, target: str) -> bool:
        """Return whether the rule makes a file."""
        return target in self.output


FIGURES = ["results/figures/Small_tSNE_conv1.eps", "results/figures/Small_scores.eps"]
FILES = {"Small": FIGURES, "Digits": ["results/figures/Digits_scores.eps"]}
RULES = [Rule("scatters"), Rule("Small"), Rule("plot_scatter", FIGURES), Rule("plot_scores", FILES["Digits"])]


@pytest.mark.parametrize("target", ["all", "Small", "scatters", "plot_scatter", *FIGURES, *FILES["Digits"]])
def test_rule_or_file_that_is_made_can_be_requested(target):
    check_targets([target, "Small"], ["all"], iter(RULES), FILES)


def test_existing_file_can_be_requested(tmp_path):
    (tmp_path / "images.npy").touch()
    check_targets([str(tmp_path / "images.npy")], [], RULES, FILES)


@pytest.mark.parametrize(
    ("target", "hint"),
    [
        ("Digitz", "Did you mean Digits?"),
        ("scatter", "Did you mean scatters?"),
        ("al", "Did you mean all?"),
        ("results/figures/Small_tSNE_con1.eps", "Did you mean results/figures/Small_tSNE_conv1.eps?"),
        ("plot_scor", "Available: Small, Digits, all, scatters."),
        ("xyzzy", "Available: Small, Digits, all, scatters."),
        ("x/y", "Available: Small, Digits, all, scatters."),
    ],
)
def test_unknown_target_is_answered_with_the_nearest(target, hint):
    with pytest.raises(UserError) as raised:
        check_targets(["Small", target], ["all"], RULES, FILES)
    assert f"{raised.value}" == f"there is no target {target}. {hint}"


@pytest.mark.parametrize(
    "target", ["Bad", "results/Bad/layers.csv", "results/figures/Bad_scores.eps", "results/figures/Bad_tSNE_conv1.png"]
)
def test_data_set_that_is_not_valid_is_refused_when_it_is_requested(target):
    invalid = {"Other": "other", "Bad": "layers: the network has no conv9 (datasets.Bad)."}
    check_datasets(["Small", "Badge", "results/Badge/layers.csv", *FIGURES], invalid)
    with pytest.raises(UserError) as raised:
        check_datasets(["Small", target], invalid)
    assert f"{raised.value}" == "configuration: layers: the network has no conv9 (datasets.Bad)."


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The current folder, with results/figures and results/Small."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "results/figures").mkdir(parents=True)
    (tmp_path / "results/Small").mkdir()
    return tmp_path


def test_data_set_is_complete_if_all_its_files_exist(folder):
    assert is_complete([]) and not is_complete(FIGURES)
    (folder / FIGURES[0]).touch()
    assert not is_complete(FIGURES) and is_complete(FIGURES[:1])


def test_report_of_incomplete_data_sets_is_answered_with_commands(folder):
    with pytest.raises(UserError) as raised:
        check_report("report.html", [], ["Small", "Digits"], FILES)
    assert f"{raised.value}" == (
        "Small and Digits are not complete yet, so there is no report of them. Run snakemake --cores all."
    )
    for path in FIGURES:
        (folder / path).touch()
    check_report("report.html", [], ["Small"], FILES)
    check_report("report.html", [], [], FILES)
    with pytest.raises(UserError) as raised:
        check_report("report.html", ["a.yaml", "b.yaml"], ["Small", "Digits"], FILES)
    options = "--configfile a.yaml b.yaml"
    assert f"{raised.value}" == (
        f"Digits is not complete yet, so there is no report of it. Run snakemake --cores all {options}. "
        f"For a report of what exists: snakemake --report report.html {options} -- Small"
    )


def touch(path, seconds: float) -> None:
    """Make a file with this time."""
    path.touch()
    os.utime(path, (seconds, seconds))


def test_new_overviews_are_listed_else_new_figures(folder):
    assert list_new_results(["Small"], started=100) == ""
    touch(folder / "results/figures/Small_tSNE_conv1.eps", 100)
    touch(folder / "results/figures/Small_tSNE_conv2.eps", 99)
    touch(folder / "results/figures/Small_tSNE_layers.png", 99)
    assert list_new_results(["Small"], started=100) == "To look at: results/figures/Small_tSNE_conv1.eps"
    touch(folder / "results/figures/Small_tSNE_layers.png", 100)
    assert list_new_results(["Small"], started=100) == "To look at: results/figures/Small_tSNE_layers.png"
    touch(folder / "results/Small/explorer.html", 101)
    names = "results/Small/explorer.html, results/figures/Small_tSNE_layers.png"
    assert list_new_results(["Other", "Small"], started=100) == f"To look at: {names}"


def test_last_text_is_printed_after_everything_else(tmp_path):
    program = (
        "import sys; from common.workflow.messages import print_last; print_last(sys.argv[1]); "
        "print('end', file=sys.stderr)"
    )
    for text, expected in (("look", "end\nlook\n"), ("", "end\n")):
        command = [sys.executable, "-c", program, text]
        environment = os.environ | {"PYTHONPATH": str(ROOT / "scripts")}
        assert subprocess.run(command, capture_output=True, text=True, env=environment).stderr == expected


def write_snakemake_log(folder, *jobs: str, end: str = "") -> str:
    """Write a log as Snakemake does when jobs fail, and return its path."""
    lines = [f"Error in rule x:\n    log: {job} (check log file(s) for error details)\n    shell:" for job in jobs]
    path = folder / "snakemake.log"
    path.write_text("\n".join(["Building DAG of jobs...", *lines, end]))
    return str(path)


def test_failed_jobs_are_explained_by_the_last_errors_in_their_logs(folder):
    for name, lines in {
        "a": ["12:00:00 x: error: first", "Traceback", "12:00:01 x: error: the reason", "more"],
        "b": ["nothing to see"],
        "c": ["12:00:02 y: error: other \udcff"],
        "same": ["12:00:01 x: error: the reason"],
    }.items():
        (folder / f"{name}.log").write_text("\n".join(lines), errors="surrogateescape")
    log = write_snakemake_log(folder, "a.log", "missing.log", "b.log", "c.log", "same.log")
    assert explain_failure([log]) == "12:00:01 x: error: the reason\n12:00:02 y: error: other \ufffd"
    assert explain_failure([write_snakemake_log(folder)]) == "" and explain_failure([]) == ""


def test_killed_job_is_explained_by_what_to_do(folder):
    end = "subprocess.CalledProcessError: Command 'set -e' died with <Signals.SIGKILL: 9>."
    assert explain_failure([write_snakemake_log(folder, end=end)]) == KILLED
    assert explain_failure([write_snakemake_log(folder, end=end.replace("SIGKILL: 9", "SIGTERM: 15"))]) == ""
    (folder / "a.log").write_text("12:00:00 x: error: the reason")
    both = explain_failure([write_snakemake_log(folder, "a.log", end=end)])
    assert both == f"12:00:00 x: error: the reason\n{KILLED}"
