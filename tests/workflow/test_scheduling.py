"""How often Snakemake looks for jobs to start."""

import subprocess
import sys
import threading
from types import SimpleNamespace

import pytest
import snakemake.api  # first, since snakemake.workflow cannot be imported by itself

from common.workflow import scheduling


@pytest.fixture
def timers(monkeypatch):
    """All timers that have been started; they end when the test says so."""
    started = []

    class Timer:
        def __init__(self, delay, function):
            self.delay, self.function, self.daemon = delay, function, False

        def start(self):
            started.append(self)

    monkeypatch.setattr(threading, "Timer", Timer)
    return started


def test_scheduler_has_one_timer_at_a_time(timers):
    scheduler = SimpleNamespace(_open_jobs=threading.Semaphore(0))
    for _ in range(3):
        scheduling._start_timer(scheduler, 2)
    assert [timer.delay for timer in timers] == [2]
    timers[0].function()
    assert scheduler._open_jobs.acquire(blocking=False), "the scheduler looks for jobs"
    assert not scheduler._open_jobs.acquire(blocking=False)
    scheduling._start_timer(scheduler, 2)
    assert len(timers) == 2


def test_timer_does_not_delay_the_end_of_snakemake(timers):
    scheduling._start_timer(SimpleNamespace(_open_jobs=threading.Semaphore(0)), 2)
    assert timers[0].daemon


def test_snakemake_still_has_the_function_that_is_replaced():
    assert callable(snakemake.workflow.JobScheduler._schedule_reevalutation)


@pytest.mark.slow
def test_workflow_replaces_it(fresh):
    code = """
from snakemake.cli import main
from snakemake.workflow import JobScheduler
try:
    main(["--dry-run", "--quiet", "--configfile", "digits.yaml", "--cores", "1"])
except SystemExit:
    print(JobScheduler._schedule_reevalutation.__module__)
"""
    result = subprocess.run([sys.executable, "-c", code], cwd=fresh.folder, capture_output=True, text=True)
    assert result.stdout.splitlines()[-1] == "common.workflow.scheduling", result.stderr
