# What has each layer of a neural network learned? From images to a trained CNN, to the features of each of its layers, to
# one t-SNE embedding a layer, to figures. `snakemake --cores all` makes them all; config/config.yaml says for which data.

from snakemake.utils import min_version

min_version("9.0")

if str(workflow.current_basedir).startswith("git+file:"):  # by gitfile(), whose paths Snakemake 9.27 cannot join
    type(workflow.current_basedir).join = lambda folder, path: type(folder)(
        folder.repo_path,
        os.path.normpath(os.path.join(folder.path, str(path))),
        tag=folder.tag,
        ref=folder._ref,
        commit=folder.commit,
    )

# Values that replace the defaults, which stand beside this file.
if Path("config/config.yaml").exists():

    configfile: "config/config.yaml"


report: "report/workflow.rst"


include: "rules/common.smk"
include: "rules/functions.smk"
include: "rules/data_functions.smk"
include: "rules/figure_functions.smk"
include: "rules/comparison_functions.smk"
include: "rules/data.smk"
include: "rules/network.smk"
include: "rules/maps.smk"
include: "rules/landmarks.smk"
include: "rules/scores.smk"
include: "rules/figures.smk"
include: "rules/network_figures.smk"
include: "rules/explorer.smk"
include: "rules/comparisons.smk"
include: "rules/targets.smk"


onsuccess:
    messages.print_last(messages.list_new_results(SETTINGS, STARTED))


onerror:
    messages.print_last(messages.explain_failure(log))


rule all:
    """Make every figure and table, and the explorer, of the data sets that the configuration says to make."""
    default_target: True
    input:
        of_all(everything_of),
