"""A correction of Snakemake's scheduler."""

import threading
from typing import Any


def keep_one_timer(scheduler: type) -> None:
    """Let Snakemake's class JobScheduler have one timer at a time, which does not delay the end of the process.

    Each second, Snakemake 9.27 looks whether its limit of jobs a second allows another job, once for each job that has
    ended: after a hundred jobs, this takes a third of a core.
    """
    scheduler._schedule_reevalutation = _start_timer


def _start_timer(scheduler: Any, delay: float) -> None:
    """Let the scheduler look for jobs again after `delay` seconds, unless it will do so anyway."""

    def look_again() -> None:
        scheduler.is_timed = False
        scheduler._open_jobs.release()

    if not getattr(scheduler, "is_timed", False):
        scheduler.is_timed = True
        timer = threading.Timer(delay, look_again)
        timer.daemon = True
        timer.start()
