# Needs: the rules before it.
# Makes: nothing itself. These are names to request: scatters, thumbnails, filters, comparisons, each data set and each comparison
#        of networks.

import sys
import time

from snakemake.cli import get_argument_parser

STARTED = time.time()


rule scatters:
    """Target: every scatter plot."""
    input:
        of_all(scatters_of),


rule thumbnails:
    """Target: every embedding drawn with its images."""
    input:
        of_all(thumbnails_of),


rule filters:
    """Target: the filters of the first convolution."""
    input:
        of_all(filters_of),


rule comparisons:
    """Target: the figures and tables of all layers together, and the figure of the training."""
    input:
        of_all(comparisons_of),


for DATASET in SETTINGS:

    rule:
        name:
            DATASET
        input:
            everything_of(DATASET),


for COMPARISON in COMPARED:

    rule:
        name:
            COMPARISON
        input:
            everything_of_comparison(COMPARISON),


# A wrong target ends with one line. Snakemake parses this file again in each job, where there is nothing to check.
if workflow.modifier.is_main_snakefile() and workflow.is_main_process and "snakemake" in sys.argv[0]:
    REQUESTED, _ = get_argument_parser().parse_known_args(sys.argv[1:])
    FILES = {dataset: everything_of(dataset) for dataset in SETTINGS}
    FILES |= {comparison: everything_of_comparison(comparison) for comparison in COMPARED}
    with report_user_errors():
        messages.check_datasets(REQUESTED.targets, INVALID | NOT_COMPARED)
        messages.check_targets(REQUESTED.targets, ["all"], workflow.rules, FILES)
        if REQUESTED.report and not REQUESTED.targets:
            messages.check_report(REQUESTED.report, REQUESTED.configfile or [], config["make"], FILES)
