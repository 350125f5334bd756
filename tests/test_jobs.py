"""How a script runs as a job, and how its files are written."""

import os
import subprocess
import sys

import pytest

from common.files import atomic_write
from helpers import ROOT


def run_job(folder, body: str) -> subprocess.CompletedProcess:
    """Run `body` as a job named "rule layer" with the log "rule.log"."""
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    code = "import logging, os, sys\nfrom common.jobs import UserError, job\n"
    code += f"with run_logged('rule.log', 'rule layer') as progress:\n{lines}"
    environment = os.environ | {"PYTHONPATH": str(ROOT / "scripts")}
    return subprocess.run([sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True)


def test_all_output_goes_to_the_log_and_progress_to_the_terminal_too(tmp_path):
    body = """\
print("from Python")
os.system("echo from another process; echo and its errors >&2")
logging.getLogger("workflow").info("epoch 1")
print("a bar", file=progress)"""
    result = run_job(tmp_path, body)
    log = (tmp_path / "rule.log").read_text()
    assert result.returncode == 0 and result.stdout == ""
    for said in ("from Python", "from another process", "and its errors", "rule layer: epoch 1", "a bar"):
        assert said in log
    assert "rule layer: epoch 1" in result.stderr and "a bar" in result.stderr
    assert "from" not in result.stderr


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


def test_file_is_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "file.npy"
    path.write_text("old")
    with pytest.raises(RuntimeError), atomic_write(path) as part:
        part.write_text("half")
        raise RuntimeError
    assert [p.name for p in tmp_path.iterdir()] == ["file.npy"] and path.read_text() == "old"
    with atomic_write(path) as part:
        part.write_text("new")
        assert path.read_text() == "old" and part.suffix == ".npy"
    assert [p.name for p in tmp_path.iterdir()] == ["file.npy"] and path.read_text() == "new"


def test_what_a_killed_process_left_is_removed_and_what_another_file_has_is_not(tmp_path):
    (tmp_path / ".part-01234567-file.npy").write_text("half")
    (tmp_path / ".part-01234567-other-file.npy").write_text("another's")
    with atomic_write(tmp_path / "file.npy") as part:
        part.write_text("new")
    assert {path.name for path in tmp_path.iterdir()} == {"file.npy", ".part-01234567-other-file.npy"}


def test_process_that_nobody_waits_for_cannot_spoil_the_file(tmp_path):
    path = tmp_path / "file.npy"
    with pytest.raises(FileNotFoundError), atomic_write(path) as orphans:
        orphans.write_text("half")
        with atomic_write(path) as part:
            part.write_text("new")
    assert path.read_text() == "new" and len(list(tmp_path.iterdir())) == 1
