# Needs: results/{dataset}/aligned/{layer}.npy, and the labels and images of results/{dataset}/data;
#        results/{dataset}/network/history.csv, predictions.csv and conv1_filters.npy; results/{dataset}/scores and layers.csv.
# Makes: results/figures/*.eps, and a PNG twin of each, for the report, too, which shows no EPS.


rule plot_scatter:
    """A map as a scatter plot."""
    input:
        map="results/{dataset}/aligned/{layer}.npy",
        facts="results/{dataset}/maps/{layer}.json",  # for the report
        labels="results/{dataset}/data/train_labels.npy",
        classes="results/{dataset}/data/classes.json",
        errors=lambda wildcards: (
            [predictions(wildcards.dataset)[0], f"results/{wildcards.dataset}/aligned/{wildcards.layer}_test.npy"]
            if shows_errors(wildcards.dataset)
            else []
        ),
    output:
        eps="results/figures/{dataset}_tSNE_{layer}.eps",
        png=report("results/figures/{dataset}_tSNE_{layer}.png", **shown(MAPS_IN_REPORT, "scatter", "scatter plot")),
    log:
        "logs/plot_scatter/{dataset}/{layer}.log",
    benchmark:
        "benchmarks/plot_scatter/{dataset}/{layer}.jsonl"
    localrule: True
    conda:
        "../envs/figures.yaml"
    params:
        helpers=helpers("arrays", "figures", "jobs", "tables"),
        palette=palette,
        style=setting("figures", "scatter", "style"),
        size=setting("figures", "scatter", "size"),
        tsne=tsne_parameters,  # for the report, as the landmarks
        landmarks=setting("tsne", "landmarks"),
    script:
        "../scripts/plot_scatter.py"


rule plot_thumbnails:
    """A map drawn with the images themselves."""
    input:
        map="results/{dataset}/aligned/{layer}.npy",
        facts="results/{dataset}/maps/{layer}.json",  # for the report
        images="results/{dataset}/data/train_images.npy",
        labels="results/{dataset}/data/train_labels.npy",
        classes="results/{dataset}/data/classes.json",
    output:
        eps="results/figures/{dataset}_tSNE_{layer}_embed.eps",
        png=report(
            "results/figures/{dataset}_tSNE_{layer}_embed.png", **shown(MAPS_IN_REPORT, "thumbnails", "thumbnails")
        ),
    log:
        "logs/plot_thumbnails/{dataset}/{layer}.log",
    benchmark:
        "benchmarks/plot_thumbnails/{dataset}/{layer}.jsonl"
    localrule: True
    conda:
        "../envs/figures.yaml"
    params:
        helpers=helpers("arrays", "figures", "jobs"),
        palette=palette,
        canvas=setting("figures", "thumbnails", "canvas"),
        tsne=tsne_parameters,  # for the report, as the landmarks
        landmarks=setting("tsne", "landmarks"),
    script:
        "../scripts/plot_thumbnails.py"


rule plot_filters:
    """The filters of the first convolution."""
    input:
        filters="results/{dataset}/network/conv1_filters.npy",
    output:
        eps="results/figures/{dataset}_conv1_filters.eps",
        png=report(
            "results/figures/{dataset}_conv1_filters.png", **shown(NETWORK_IN_REPORT, "filters", "filters of conv1")
        ),
    log:
        "logs/plot_filters/{dataset}.log",
    benchmark:
        "benchmarks/plot_filters/{dataset}.jsonl"
    localrule: True
    conda:
        "../envs/figures.yaml"
    params:
        helpers=helpers("arrays", "figures", "jobs"),
        size=setting("figures", "filters", "size"),
        network_seeds=lambda wildcards: network_seeds(wildcards)[:1],  # for the report
    script:
        "../scripts/plot_filters.py"


rule plot_layers:
    """The maps of all layers side by side, each with its scores."""
    input:
        maps=of_layers("results/{dataset}/aligned/{layer}.npy"),
        labels="results/{dataset}/data/train_labels.npy",
        classes="results/{dataset}/data/classes.json",
        scores=of_layers("results/{dataset}/scores/{layer}.json"),
    output:
        eps="results/figures/{dataset}_tSNE_layers.eps",
        png=report("results/figures/{dataset}_tSNE_layers.png", **shown(LAYERS_IN_REPORT, "layers", "maps")),
    log:
        "logs/plot_layers/{dataset}.log",
    benchmark:
        "benchmarks/plot_layers/{dataset}.jsonl"
    localrule: True
    conda:
        "../envs/figures.yaml"
    params:
        helpers=helpers("arrays", "figures", "jobs"),
        layers=lambda wildcards: layers(wildcards.dataset),
        palette=palette,
        perplexity=setting("tsne", "perplexity"),  # for the report, as the seeds
        network_seeds=lambda wildcards: network_seeds(wildcards)[:1],
        tsne_seeds=lambda wildcards: SETTINGS[wildcards.dataset]["tsne"]["seeds"][:1],
    script:
        "../scripts/plot_layers.py"


rule plot_scores:
    """The scores of all layers, on training and on test images."""
    input:
        table="results/{dataset}/layers.csv",
    output:
        eps="results/figures/{dataset}_scores.eps",
        png=report("results/figures/{dataset}_scores.png", **shown(LAYERS_IN_REPORT, "scores", "scores")),
    log:
        "logs/plot_scores/{dataset}.log",
    benchmark:
        "benchmarks/plot_scores/{dataset}.jsonl"
    localrule: True
    conda:
        "../envs/figures.yaml"
    params:
        helpers=helpers("figures", "jobs", "tables"),
        network_seeds=network_seeds,  # for the report
        tsne_seeds=setting("tsne", "seeds"),
    script:
        "../scripts/plot_scores.py"


rule plot_history:
    """How the training went."""
    input:
        history="results/{dataset}/network/history.csv",
    output:
        eps="results/figures/{dataset}_training.eps",
        png=report("results/figures/{dataset}_training.png", **shown(NETWORK_IN_REPORT, "history", "training")),
    log:
        "logs/plot_history/{dataset}.log",
    benchmark:
        "benchmarks/plot_history/{dataset}.jsonl"
    localrule: True
    conda:
        "../envs/figures.yaml"
    params:
        helpers=helpers("figures", "jobs", "tables"),
        learning_rate=setting("network", "learning_rate"),  # for the report
        network_seeds=lambda wildcards: network_seeds(wildcards)[:1],
    script:
        "../scripts/plot_history.py"
