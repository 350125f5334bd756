# Needs: results/{dataset}/maps/{layer}.npy, and the labels and images of results/{dataset}/data;
#        results/{dataset}/network/conv1_filters.npy.
# Makes: results/figures/*.eps, and a PNG twin of each.


rule plot_scatter:
    """A map as a scatter plot."""
    input:
        map="results/{dataset}/maps/{layer}.npy",
        labels="results/{dataset}/data/train_labels.npy",
    output:
        eps="results/figures/{dataset}_tSNE_{layer}.eps",
        png="results/figures/{dataset}_tSNE_{layer}.png",
    log:
        "logs/plot_scatter/{dataset}/{layer}.log",
    benchmark:
        "benchmarks/plot_scatter/{dataset}/{layer}.jsonl"
    localrule: True
    conda:
        "../envs/figures.yaml"
    params:
        helpers=helpers("arrays", "figures", "jobs"),
        palette=config["figures"]["palette"],
        style=config["figures"]["scatter"]["style"],
        size=config["figures"]["scatter"]["size"],
    script:
        "../scripts/plot_scatter.py"


rule plot_thumbnails:
    """A map drawn with the images themselves."""
    input:
        map="results/{dataset}/maps/{layer}.npy",
        images="results/{dataset}/data/train_images.npy",
        labels="results/{dataset}/data/train_labels.npy",
    output:
        eps="results/figures/{dataset}_tSNE_{layer}_embed.eps",
        png="results/figures/{dataset}_tSNE_{layer}_embed.png",
    log:
        "logs/plot_thumbnails/{dataset}/{layer}.log",
    benchmark:
        "benchmarks/plot_thumbnails/{dataset}/{layer}.jsonl"
    localrule: True
    conda:
        "../envs/figures.yaml"
    params:
        helpers=helpers("arrays", "figures", "jobs"),
        palette=config["figures"]["palette"],
        canvas=config["figures"]["thumbnails"]["canvas"],
    script:
        "../scripts/plot_thumbnails.py"


rule plot_filters:
    """The filters of the first convolution."""
    input:
        filters="results/{dataset}/network/conv1_filters.npy",
    output:
        eps="results/figures/{dataset}_conv1_filters.eps",
        png="results/figures/{dataset}_conv1_filters.png",
    log:
        "logs/plot_filters/{dataset}.log",
    benchmark:
        "benchmarks/plot_filters/{dataset}.jsonl"
    localrule: True
    conda:
        "../envs/figures.yaml"
    params:
        helpers=helpers("arrays", "figures", "jobs"),
        size=config["figures"]["filters"]["size"],
    script:
        "../scripts/plot_filters.py"


rule scatters:
    """Target: every scatter plot."""
    input:
        expand(rules.plot_scatter.output, dataset=DATASET, layer=config["layers"]),


rule thumbnails:
    """Target: every map drawn with its images."""
    input:
        expand(rules.plot_thumbnails.output, dataset=DATASET, layer=config["layers"]),


rule filters:
    """Target: the filters of the first convolution, if it is among the layers."""
    input:
        expand(rules.plot_filters.output, dataset=DATASET if "conv1" in config["layers"] else []),
