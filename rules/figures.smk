# Needs: results/{dataset}/aligned/{layer}.npy, and the labels and images in results/{dataset}/data;
#        results/{dataset}/network/history.csv, predictions.csv and conv1_filters.npy; results/{dataset}/scores, layers.csv,
#        layers.json, knn.csv and similarity.csv.
# Makes: results/figures/*.eps, each with a PNG file for the report, which cannot show EPS.


rule plot_scatter:
    """Draw an embedding as a scatter plot."""
    input:
        map="results/{dataset}/aligned/{layer}.npy",
        record="results/{dataset}/maps/{layer}.json",  # for the report
        labels="results/{dataset}/data/train_labels.npy",
        classes="results/{dataset}/data/classes.json",
        errors=error_files,
    output:
        eps="results/figures/{dataset}_tSNE_{layer}.eps",
        png=report("results/figures/{dataset}_tSNE_{layer}.png", **in_report(MAPS_IN_REPORT, "scatter", "scatter plot")),
    log:
        "logs/plot_scatter/{dataset}/{layer}.log",
    benchmark:
        "benchmarks/plot_scatter/{dataset}/{layer}.jsonl"
    localrule: True
    conda:
        "../envs/figures.yaml"
    params:
        code=code("plot_scatter.py"),
        palette=palette,
        style=setting("figures/scatter/style"),
        size=setting("figures/scatter/size"),
        noun=of_dataset(datasets.row_noun),  # for the report, as what follows
        tsne=of_dataset(datasets.tsne_parameters),
        landmarks=setting("tsne/landmarks"),
    script:
        "../scripts/plot_scatter.py"


rule plot_thumbnails:
    """Draw an embedding with the images themselves."""
    input:
        map="results/{dataset}/aligned/{layer}.npy",
        record="results/{dataset}/maps/{layer}.json",  # for the report
        images="results/{dataset}/data/train_images.npy",
        labels="results/{dataset}/data/train_labels.npy",
        classes="results/{dataset}/data/classes.json",
    output:
        eps="results/figures/{dataset}_tSNE_{layer}_embed.eps",
        png=report(
            "results/figures/{dataset}_tSNE_{layer}_embed.png", **in_report(MAPS_IN_REPORT, "thumbnails", "thumbnails")
        ),
    log:
        "logs/plot_thumbnails/{dataset}/{layer}.log",
    benchmark:
        "benchmarks/plot_thumbnails/{dataset}/{layer}.jsonl"
    localrule: True
    conda:
        "../envs/figures.yaml"
    params:
        code=code("plot_thumbnails.py"),
        palette=palette,
        canvas=setting("figures/thumbnails/canvas"),
        tsne=of_dataset(datasets.tsne_parameters),  # for the report, as the landmarks
        landmarks=setting("tsne/landmarks"),
    script:
        "../scripts/plot_thumbnails.py"


rule plot_layers:
    """Draw the embeddings of all layers side by side, each with its scores."""
    input:
        maps=of_layers("results/{dataset}/aligned/{layer}{suffix}.npy", suffix=SUFFIXES),
        control_maps=of_control_layers("results/{dataset}/aligned/{layer}{training}.npy"),
        labels=images_by_split("labels"),
        classes="results/{dataset}/data/classes.json",
        scores=of_layers("results/{dataset}/scores/{layer}.json"),
        control_scores=of_control_layers("results/{dataset}/scores/{layer}{training}.json"),
        predictions=marked_predictions,
    output:
        eps="results/figures/{dataset}_tSNE_layers.eps",
        png=report("results/figures/{dataset}_tSNE_layers.png", **in_report(LAYERS_IN_REPORT, "layers", "maps")),
    log:
        "logs/plot_layers/{dataset}.log",
    benchmark:
        "benchmarks/plot_layers/{dataset}.jsonl"
    localrule: True
    conda:
        "../envs/figures.yaml"
    params:
        code=code("plot_layers.py"),
        noun=of_dataset(datasets.row_noun),
        layers=of_dataset(datasets.layer_names),
        controls=of_dataset(datasets.control_layers),
        reference=of_dataset(datasets.reference_layer),
        palette=palette,
        tsne=of_dataset(datasets.tsne_parameters),  # for the report, as the seeds
        network_seeds=of_dataset(datasets.first_network_seed),
        tsne_seed=of_dataset(datasets.first_tsne_seed),
    script:
        "../scripts/plot_layers.py"


rule plot_scores:
    """Draw the scores of all layers before and after training, with their intervals."""
    input:
        summary="results/{dataset}/layers.json",
        table="results/{dataset}/layers.csv",
    output:
        eps="results/figures/{dataset}_scores.eps",
        png=report("results/figures/{dataset}_scores.png", **in_report(LAYERS_IN_REPORT, "scores", "scores")),
    log:
        "logs/plot_scores/{dataset}.log",
    benchmark:
        "benchmarks/plot_scores/{dataset}.jsonl"
    localrule: True
    conda:
        "../envs/figures.yaml"
    params:
        code=code("plot_scores.py"),
        noun=of_dataset(datasets.row_noun),
        network_seeds=of_dataset(datasets.network_seeds),  # for the report
        tsne_seeds=setting("tsne/seeds"),
        controls=of_dataset(datasets.control_layers),
    script:
        "../scripts/plot_scores.py"


rule plot_splits:
    """Draw the scores of all layers after training on the images of each split, with their intervals."""
    input:
        summary="results/{dataset}/layers.json",
        table="results/{dataset}/layers.csv",
        knn="results/{dataset}/knn.csv",
    output:
        eps="results/figures/{dataset}_splits.eps",
        png=report("results/figures/{dataset}_splits.png", **in_report(LAYERS_IN_REPORT, "splits", "splits")),
    log:
        "logs/plot_splits/{dataset}.log",
    benchmark:
        "benchmarks/plot_splits/{dataset}.jsonl"
    localrule: True
    conda:
        "../envs/figures.yaml"
    params:
        code=code("plot_splits.py"),
        noun=of_dataset(datasets.row_noun),
        network_seeds=of_dataset(datasets.network_seeds),  # for the report
        tsne_seeds=setting("tsne/seeds"),
    script:
        "../scripts/plot_splits.py"


rule plot_similarity:
    """Draw how similar the layers represent the images, before and after training."""
    input:
        table="results/{dataset}/similarity.csv",
    output:
        eps="results/figures/{dataset}_similarity.eps",
        png=report(
            "results/figures/{dataset}_similarity.png", **in_report(LAYERS_IN_REPORT, "similarity", "similarity")
        ),
    log:
        "logs/plot_similarity/{dataset}.log",
    benchmark:
        "benchmarks/plot_similarity/{dataset}.jsonl"
    localrule: True
    conda:
        "../envs/figures.yaml"
    params:
        code=code("plot_similarity.py"),
        noun=of_dataset(datasets.row_noun),
        layers=of_dataset(datasets.layer_names),
    script:
        "../scripts/plot_similarity.py"


rule plot_prediction_depth:
    """Draw at which layer the answer of the network is found, for images that it gets right and wrong."""
    input:
        labels=images_by_split("labels"),
        outcomes=of_layers("results/{dataset}/scores/{layer}.npz"),
        predictions=first_predictions,
    output:
        eps="results/figures/{dataset}_prediction_depth.eps",
        png=report(
            "results/figures/{dataset}_prediction_depth.png",
            **in_report(LAYERS_IN_REPORT, "prediction_depth", "prediction depth"),
        ),
    log:
        "logs/plot_prediction_depth/{dataset}.log",
    benchmark:
        "benchmarks/plot_prediction_depth/{dataset}.jsonl"
    localrule: True
    conda:
        "../envs/figures.yaml"
    params:
        code=code("plot_prediction_depth.py"),
        noun=of_dataset(datasets.row_noun),
        layers=of_dataset(datasets.layer_names),
    script:
        "../scripts/plot_prediction_depth.py"


rule plot_flow:
    """Draw how many images turn from wrong to right, and back, from layer to layer."""
    input:
        labels=images_by_split("labels"),
        outcomes=of_layers("results/{dataset}/scores/{layer}.npz"),
        predictions=first_predictions,
    output:
        eps="results/figures/{dataset}_flow.eps",
        png=report("results/figures/{dataset}_flow.png", **in_report(LAYERS_IN_REPORT, "flow", "wrong and right")),
    log:
        "logs/plot_flow/{dataset}.log",
    benchmark:
        "benchmarks/plot_flow/{dataset}.jsonl"
    localrule: True
    conda:
        "../envs/figures.yaml"
    params:
        code=code("plot_flow.py"),
        noun=of_dataset(datasets.row_noun),
        layers=of_dataset(datasets.layer_names),
    script:
        "../scripts/plot_flow.py"


rule plot_flow_images:
    """Draw the images that turn from wrong to right, and back, from layer to layer."""
    input:
        labels=images_by_split("labels"),
        images=images_by_split("images"),
        outcomes=of_layers("results/{dataset}/scores/{layer}.npz"),
        predictions=first_predictions,
        classes="results/{dataset}/data/classes.json",
    output:
        eps="results/figures/{dataset}_flow_images.eps",
        png=report(
            "results/figures/{dataset}_flow_images.png",
            **in_report(LAYERS_IN_REPORT, "flow_images", "images that change"),
        ),
    log:
        "logs/plot_flow_images/{dataset}.log",
    benchmark:
        "benchmarks/plot_flow_images/{dataset}.jsonl"
    localrule: True
    conda:
        "../envs/figures.yaml"
    params:
        code=code("plot_flow_images.py"),
        layers=of_dataset(datasets.layer_names),
    script:
        "../scripts/plot_flow_images.py"


# The figures by target. A new figure of all layers together belongs into COMPARISONS.
COMPARISONS = (
    rules.plot_layers,
    rules.plot_scores,
    rules.plot_splits,
    rules.plot_similarity,
    rules.plot_prediction_depth,
    rules.plot_flow,
)
