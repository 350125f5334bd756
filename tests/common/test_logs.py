"""How a script runs as a job: its log, and the one line in which it fails."""

import gc
import io
import os
import re
import subprocess
import sys
import weakref
from pathlib import Path

import pytest

from common.errors import UserError
from common.logs import Tee, describe_failure, peak_memory_gib, release_frames
from helpers import ROOT


def run_job(folder, body: str) -> subprocess.CompletedProcess:
    """Run `body` as a job named "rule layer" with the log "rule.log"."""
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    code = "import logging, os, sys\nfrom common.errors import UserError\nfrom common.logs import run_logged\n"
    code += f"with run_logged('rule.log', 'rule layer') as progress:\n{lines}"
    environment = os.environ | {"PYTHONPATH": str(ROOT / "scripts")}
    return subprocess.run([sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True)


def test_all_output_goes_to_the_log_and_progress_to_the_terminal_too(tmp_path):
    body = """\
print("from Python")
os.system("echo from another process; echo and its errors >&2")
logging.getLogger("workflow").info("epoch 1")
logging.getLogger("workflow").debug("rows of each class")
print("a bar", file=progress)"""
    result = run_job(tmp_path, body)
    log = (tmp_path / "rule.log").read_text()
    assert result.returncode == 0 and result.stdout == ""
    for text in (
        "from Python",
        "from another process",
        "and its errors",
        "rule layer: epoch 1",
        "a bar",
        "layer: rows of",
    ):
        assert text in log
    assert "rule layer: epoch 1" in result.stderr and "a bar" in result.stderr
    assert "from" not in result.stderr and "rows of" not in result.stderr
    last = result.stderr.splitlines()[-1]
    assert re.fullmatch(r"\d\d:\d\d:\d\d rule layer: done in \d\.\d s, peak memory \d\.\d\d GiB", last)
    assert log.splitlines()[-1] == last


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ('raise UserError("labels.npy: 3 rows too few")', "error: labels.npy: 3 rows too few"),
        ('raise ValueError("a\\n  b")', "error: ValueError: a b (more in rule.log)"),
        ("[][0]", "error: IndexError: list index out of range (more in rule.log)"),
    ],
)
def test_failure_is_one_line_and_the_traceback_is_in_the_log(tmp_path, body, line):
    result = run_job(tmp_path, body)
    assert result.returncode == 1
    assert result.stderr.count("\n") == 1 and result.stderr.endswith(f"rule layer: {line}\n")
    assert "Traceback" in (tmp_path / "rule.log").read_text()


def test_progress_is_in_the_log_even_if_the_process_is_killed(tmp_path):
    result = run_job(tmp_path, 'print("a bar", file=progress)\nos._exit(9)')
    assert result.returncode == 9 and result.stderr == (tmp_path / "rule.log").read_text() == "a bar\n"


def test_text_is_written_to_every_stream():
    streams = io.StringIO(), io.StringIO()
    tee = Tee(*streams)
    tee.write("a")
    tee.flush()
    assert [stream.getvalue() for stream in streams] == ["a", "a"]


def test_every_stream_is_flushed(tmp_path):
    with open(tmp_path / "a", "w") as first, open(tmp_path / "b", "w") as second:
        print("text", file=Tee(first, second), flush=True)
        assert (tmp_path / "a").read_text() == (tmp_path / "b").read_text() == "text\n"


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_peak_memory_is_that_of_the_process():
    status = Path("/proc/self/status").read_text()
    resident = int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 2**20
    assert peak_memory_gib() == pytest.approx(resident, rel=0.05)


def test_unexpected_error_is_shortened_and_the_log_named():
    assert describe_failure(UserError("x" * 500), "rule.log") == "x" * 500
    assert describe_failure(ValueError("bad"), "rule.log") == "ValueError: bad (more in rule.log)"
    long = describe_failure(ValueError("word " * 500), "rule.log")
    assert len(long) <= 300 + len(" (more in rule.log)") and long.endswith(" ... (more in rule.log)")
    assert long.startswith("ValueError: word word ")


def test_want_of_memory_is_answered_with_what_to_do():
    line = describe_failure(MemoryError("all"), "rule.log")
    assert line.startswith("MemoryError: all Run fewer jobs at once (--cores 1)") and line.endswith(
        "(more in rule.log)"
    )


class Value:
    """An object that can be watched."""


def raise_from(error):
    raise ValueError from error


def raise_during(error):
    raise ValueError


@pytest.mark.parametrize("raise_another", [raise_from, raise_during])
def test_local_variables_of_an_error_and_its_causes_are_released(raise_another):
    watched = []

    def inner():
        value = Value()
        watched.append(weakref.ref(value))
        raise KeyError

    def outer():
        value = Value()
        watched.append(weakref.ref(value))
        try:
            inner()
        except KeyError as error:
            raise_another(error)

    try:
        outer()
    except ValueError as error:
        gc.collect()
        assert all(reference() is not None for reference in watched)
        release_frames(error)
        gc.collect()
        assert [reference() for reference in watched] == [None, None]
