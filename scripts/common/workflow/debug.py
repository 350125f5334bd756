"""Run the script of one job in this process, where a debugger can stop it.

    PYTHONPATH=scripts python -m pdb -m common.workflow.debug plot_scatter dataset=Digits layer=pixel

The arguments are the rule and its wildcards; a wildcard that is left out is empty. configfile=mine.yaml names a
configuration. The inputs of the job must exist. Its output is written, as in a run; messages go to the terminal.
"""

import logging
import os
import runpy
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from snakemake.api import SnakemakeApi
from snakemake.iocontainers import Wildcards
from snakemake.script import Snakemake
from snakemake.settings.types import ConfigSettings, ResourceSettings
from threadpoolctl import threadpool_limits

from common import logs


def make_snakemake(rule_name: str, wildcards: dict[str, str], configfiles: Sequence[Path] = ()) -> Snakemake:
    """Return the object `snakemake` that the script of a rule gets for these wildcards.

    It is for the workflow in the current folder, with Snakemake 9.27, of which internal functions are used.
    """
    with SnakemakeApi() as api:
        workflow = api.workflow(
            resource_settings=ResourceSettings(cores=1),
            config_settings=ConfigSettings(configfiles=list(configfiles)),
            snakefile=Path("Snakefile").resolve(),
        )._workflow
        rule = workflow.get_rule(rule_name)
        values = Wildcards(fromdict={name: wildcards.get(name, "") for name in rule.wildcard_names})
        files, *_ = rule.expand_input(values)
        output, _ = rule.expand_output(values)
        params, _ = rule.expand_params(values, files, output, job=None)
        resources = rule.expand_resources(values, files, attempt=1)
        log = rule.expand_log(values)
        for path in (*output, *log):
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        threads, config = resources["_cores"], workflow.globals["config"]
        arguments = (files, output, params, values, threads, resources, log, config, rule_name, None)
        return Snakemake(*arguments, scriptdir="scripts")


@contextmanager
def run_unlogged(_: str, __: str) -> Iterator[TextIO]:
    """Replace common.logs.run_logged: output stays on the terminal, and an error keeps its traceback."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    yield sys.stderr


if __name__ == "__main__":
    name, *pairs = sys.argv[1:]
    wildcards = dict(pair.split("=", 1) for pair in pairs)
    configfiles = [Path(wildcards.pop("configfile"))] if "configfile" in wildcards else []
    snakemake = make_snakemake(name, wildcards, configfiles)
    logs.run_logged = run_unlogged
    threads = snakemake.threads  # as many as in a job, or sums differ in their last digits
    os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), str(threads))
    with threadpool_limits(threads):
        runpy.run_path(f"scripts/{name}.py", {"snakemake": snakemake}, run_name="__main__")
