# Needs: results/{dataset}/network/conv1_filters.npy and history.csv; results/{dataset}/aligned, scores and layers.json.
# Makes: the figures of the network itself, its filters and its training, and those of the layers over the epochs of
#        training, results/figures/{dataset}_tSNE_training_{layer}.eps and {dataset}_learning.eps; each with a PNG file.


rule plot_filters:
    """Draw the filters of the first convolution."""
    input:
        filters="results/{dataset}/network/conv1_filters.npy",
    output:
        eps="results/figures/{dataset}_conv1_filters.eps",
        png=report(
            "results/figures/{dataset}_conv1_filters.png",
            **in_report(NETWORK_IN_REPORT, "filters", "filters of conv1"),
        ),
    log:
        "logs/plot_filters/{dataset}.log",
    benchmark:
        "benchmarks/plot_filters/{dataset}.jsonl"
    localrule: True
    conda:
        "../envs/figures.yaml"
    params:
        code=code("plot_filters.py"),
        size=setting("figures/filters/size"),
        network_seeds=of_dataset(datasets.first_network_seed),  # for the report
    script:
        "../scripts/plot_filters.py"


rule plot_history:
    """Draw the loss and the error rate over the epochs of training."""
    input:
        history="results/{dataset}/network/history.csv",
    output:
        eps="results/figures/{dataset}_training.eps",
        png=report("results/figures/{dataset}_training.png", **in_report(NETWORK_IN_REPORT, "history", "training")),
    log:
        "logs/plot_history/{dataset}.log",
    benchmark:
        "benchmarks/plot_history/{dataset}.jsonl"
    localrule: True
    conda:
        "../envs/figures.yaml"
    params:
        code=code("plot_history.py"),
        learning_rate=setting("network/learning_rate"),  # for the report
        network_seeds=of_dataset(datasets.first_network_seed),
    script:
        "../scripts/plot_history.py"


rule plot_epochs:
    """Draw the embeddings of a layer before training, after some epochs and after the last."""
    input:
        maps=of_epochs("results/{dataset}/aligned/{layer}{training}.npy"),
        scores=of_epochs("results/{dataset}/scores/{layer}{training}.json"),
        labels="results/{dataset}/data/train_labels.npy",
        classes="results/{dataset}/data/classes.json",
    output:
        eps="results/figures/{dataset}_tSNE_training_{layer}.eps",
        png=report(
            "results/figures/{dataset}_tSNE_training_{layer}.png",
            **in_report(NETWORK_IN_REPORT, "epochs", "maps through training"),
        ),
    log:
        "logs/plot_epochs/{dataset}/{layer}.log",
    benchmark:
        "benchmarks/plot_epochs/{dataset}/{layer}.jsonl"
    wildcard_constraints:
        dataset=any_of(TRAINED),
    localrule: True
    conda:
        "../envs/figures.yaml"
    params:
        code=code("plot_epochs.py"),
        noun=of_dataset(datasets.row_noun),
        epochs=of_dataset(datasets.shown_epochs),
        reference=of_dataset(datasets.reference_layer),
        palette=palette,
    script:
        "../scripts/plot_epochs.py"


rule plot_learning:
    """Draw the scores of all layers over the epochs of training."""
    input:
        summary="results/{dataset}/layers.json",
        history="results/{dataset}/network/history.csv",
    output:
        eps="results/figures/{dataset}_learning.eps",
        png=report("results/figures/{dataset}_learning.png", **in_report(NETWORK_IN_REPORT, "learning", "learning")),
    log:
        "logs/plot_learning/{dataset}.log",
    benchmark:
        "benchmarks/plot_learning/{dataset}.jsonl"
    wildcard_constraints:
        dataset=any_of(TRAINED),
    localrule: True
    conda:
        "../envs/figures.yaml"
    params:
        code=code("plot_learning.py"),
        noun=of_dataset(datasets.row_noun),
    script:
        "../scripts/plot_learning.py"
