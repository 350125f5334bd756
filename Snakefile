# What has each layer of a neural network learned? From images to a trained CNN, to the features of each of its layers, to
# one t-SNE map a layer, to figures. `snakemake --cores all` makes them all; config/config.yaml says of what.

from snakemake.utils import min_version

min_version("9.0")

if str(workflow.current_basedir).startswith("git+file:"):  # by gitfile(), of which Snakemake 9.27 joins no such paths
    type(workflow.current_basedir).join = lambda folder, path: type(folder)(
        folder.repo_path,
        os.path.normpath(os.path.join(folder.path, str(path))),
        tag=folder.tag,
        ref=folder._ref,
        commit=folder.commit,
    )

# What differs from the defaults, which stand beside this file (rules/config.smk).
if Path("config/config.yaml").exists():

    configfile: "config/config.yaml"


report: "report/workflow.rst"


include: "rules/config.smk"
include: "rules/datasets.smk"
include: "rules/common.smk"
include: "rules/provenance.smk"
include: "rules/data.smk"
include: "rules/network.smk"
include: "rules/maps.smk"
include: "rules/landmarks.smk"
include: "rules/scores.smk"
include: "rules/figures.smk"
include: "rules/explorer.smk"
include: "rules/targets.smk"
include: "rules/messages.smk"


onsuccess:
    say_last(what_to_look_at())


onerror:
    say_last(why_it_failed(log))


rule all:
    """Every figure and table, and the explorer, of the data sets that the configuration says to make."""
    default_target: True
    input:
        of_all(everything_of),
