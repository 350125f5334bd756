"""Measurements of processes, and the table in which they are stored."""

import os
import sys
import time
from pathlib import Path

import pytest
from measuring import (
    Runs,
    cpu_seconds,
    limit_cores,
    limit_threads,
    machine,
    measure,
    read_last_line,
    require_file,
    rotate,
    write_table,
)

from common.errors import UserError

COLUMNS = ("layer", "round", "seconds", "note")


def test_process_is_measured_with_those_that_it_starts(tmp_path):
    code = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'x = bytes(range(256)) * 2**20'])"
    before = time.monotonic()
    status, started, used = measure([sys.executable, "-c", code], tmp_path / "output.log", 1)
    assert status == 0 and before <= started <= time.monotonic()
    assert used["peak_mib"] >= 256  # more, if the process that starts it is large
    assert used["process_cpu_seconds"] > 0 and 0 < used["process_seconds"] <= time.monotonic() - before + 0.001


def test_output_and_status_of_a_process_are_kept(tmp_path):
    code = "import os, sys; print(os.environ['OMP_NUM_THREADS']); sys.exit('that was it')"
    status, _, _ = measure([sys.executable, "-c", code], tmp_path / "output.log", 3)
    assert status == 1 and (tmp_path / "output.log").read_text() == "3\nthat was it\n"
    status, _, _ = measure([sys.executable, "-c", "import os; os.abort()"], tmp_path / "output.log", 1)
    assert status == -6


def test_last_line_is_the_last_that_is_not_empty(tmp_path):
    path = tmp_path / "output.log"
    for text, expected in ("first\n last \n\n", "last"), ("only", "only"), ("", "no output"), (" \n", "no output"):
        path.write_text(text)
        assert read_last_line(path) == expected


def test_time_of_this_process_is_counted():
    before, started = cpu_seconds(), time.process_time()
    sum(range(10**6))
    assert cpu_seconds() - before == pytest.approx(time.process_time() - started, abs=0.05)
    assert cpu_seconds() > before


def test_threads_are_limited_for_every_library():
    changed = {name: value for name, value in limit_threads(3).items() if os.environ.get(name) != value}
    assert {"NUMBA_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS"} <= set(changed) and set(changed.values()) == {
        "3"
    }
    assert limit_threads(3)["PATH"] == os.environ["PATH"]


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="Linux only")
def test_cores_are_limited_for_this_process_and_those_that_it_starts():
    before = os.sched_getaffinity(0)
    try:
        limit_cores(1)
        assert os.sched_getaffinity(0) == {min(before)}
    finally:
        os.sched_setaffinity(0, before)


def test_names_take_turns_in_being_first():
    order = list(rotate(["a", "b", "c"], 4))
    assert [name for _, name in order] == [*"abc", *"bca", *"cab", *"abc"]
    assert [turn for turn, _ in order] == [0] * 3 + [1] * 3 + [2] * 3 + [3] * 3


def test_machine_is_described():
    description = machine()
    assert description["cores"] == os.cpu_count() and description["processor"]
    info = Path("/proc/cpuinfo")
    if info.exists() and "model name" in info.read_text():
        assert f": {description['processor']}\n" in info.read_text()


def test_file_that_does_not_exist_is_named_with_the_command_that_writes_it(tmp_path):
    (tmp_path / "there").touch()
    assert require_file(tmp_path / "there", "make it") == tmp_path / "there"
    with pytest.raises(UserError) as caught:
        require_file(Path("missing.npy"), "make it")
    assert str(caught.value) == "missing.npy does not exist. Run this command first: make it"


def test_table_leaves_missing_values_empty(tmp_path):
    write_table(tmp_path / "table.csv", COLUMNS, [{"layer": "pixel", "seconds": 1.5}, {"note": "failed, twice"}])
    assert (tmp_path / "table.csv").read_text() == 'layer,round,seconds,note\npixel,,1.5,\n,,,"failed, twice"\n'


def test_interrupted_runs_are_continued_and_failed_ones_repeated(tmp_path):
    path, executed = tmp_path / "unfinished.csv", []

    def run(*results):
        executed.append(results)
        return dict(results)

    runs = Runs(path, COLUMNS, ("layer", "round"))
    runs.add({"layer": "pixel", "round": 1}, lambda: run(("seconds", 5)))
    runs.add({"layer": "pixel", "round": 2}, lambda: run(("note", "failed")))
    assert path.read_text().splitlines() == ["layer,round,seconds,note", "pixel,1,5,", "pixel,2,,failed"]

    continued = Runs(path, COLUMNS, ("layer", "round"))
    assert continued.add({"layer": "pixel", "round": 2}, lambda: run(("seconds", 6)))["seconds"] == 6
    assert "pixel,1,5," in path.read_text(), "what was measured is kept until its turn"
    row = continued.add({"layer": "pixel", "round": 1}, lambda: pytest.fail("it was measured"))
    assert row["seconds"] == "5" and len(executed) == 3
    assert [row["round"] for row in continued.finish()] == [2, "1"]
    assert not path.exists()


def test_benchmark_without_any_measurement_is_refused(tmp_path):
    runs = Runs(tmp_path / "unfinished.csv", COLUMNS, ("layer", "round"))
    for number in (1, 2):
        runs.add({"layer": "pixel", "round": number}, lambda: {"note": "failed"})
    with pytest.raises(UserError) as caught:
        runs.finish()
    assert str(caught.value) == f"Nothing could be measured. Read why in {tmp_path}/*.log."
