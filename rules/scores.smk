# Needs: results/{dataset}/features, neighbors and maps; results/{dataset}/network/predictions.csv.
# Makes: results/{dataset}/scores/{layer}.json, the scores of a layer and its embedding by split, and {layer}.npz, the
#        outcomes of the images that they are the means of; {layer}_features.npz, those of scores without an embedding,
#        {layer}_features.json, how they were made, and {layer}_knn.csv, the accuracy over the number of neighbors;
#        results/{dataset}/layers.csv, a row for each layer, embedding, split and pair of seeds, and layers.json, a summary
#        with intervals;
#        results/{dataset}/maps.csv, the coordinates of each image, for other tools;
#        results/{dataset}/methods.md, the methods section, and summary.html, a page of the report.


# The environments whose versions the report lists, if a record does not have them.
ENVIRONMENTS = [
    workflow.source_path(path)
    for path in (
        "../envs/data.yaml",
        NETWORK_ENV,
        "../envs/neighbors.yaml",
        TSNE_ENV,
        "../envs/scores.yaml",
        "../envs/figures.yaml",
    )
]


rule score_map:
    """Score a layer and its embedding."""
    input:
        features=by_split("results/{dataset}/features/{layer}{training}{split}.npy"),
        neighbors=by_split("results/{dataset}/neighbors/{layer}{training}{split}.npz"),
        map=by_split("results/{dataset}/maps/{layer}{training}{tsne}{split}.npy"),
        record="results/{dataset}/maps/{layer}{training}{tsne}.json",
        labels=images_by_split("labels"),
        landmarks=landmark_rows,
        classes="results/{dataset}/data/classes.json",
    output:
        scores="results/{dataset}/scores/{layer}{training}{tsne}.json",
        outcomes="results/{dataset}/scores/{layer}{training}{tsne}.npz",
    log:
        "logs/score_map/{dataset}/{layer}{training}{tsne}.log",
    benchmark:
        "benchmarks/score_map/{dataset}/{layer}{training}{tsne}.jsonl"
    conda:
        "../envs/neighbors.yaml"
    resources:
        mem_mb=request(1100, features=(0.7, 2000), neighbors=4),
        runtime=request(5, neighbors=0.1),
    params:
        code=code("score_map.py"),
        of_network=has_predictions,
        network_seed=network_seed,
        epoch=network_epoch,
        tsne_seed=tsne_seed,
        with_baselines=is_shown_map,
    script:
        "../scripts/score_map.py"


rule score_features:
    """Score a layer's features by nearest neighbors, a linear probe, class means and their intrinsic dimension."""
    input:
        features=by_split("results/{dataset}/features/{layer}{training}{split}.npy"),
        neighbors=by_split("results/{dataset}/neighbors/{layer}{training}{split}.npz"),
        labels=images_by_split("labels"),
        landmarks=landmark_rows,
        classes="results/{dataset}/data/classes.json",
    output:
        table="results/{dataset}/scores/{layer}{training}_knn.csv",
        outcomes="results/{dataset}/scores/{layer}{training}_features.npz",
        record="results/{dataset}/scores/{layer}{training}_features.json",
    log:
        "logs/score_features/{dataset}/{layer}{training}.log",
    benchmark:
        "benchmarks/score_features/{dataset}/{layer}{training}.jsonl"
    conda:
        "../envs/neighbors.yaml"
    resources:
        mem_mb=request(2200, features=(2.6, config["memory_mb"])),
        block_mb=config["memory_mb"],
        runtime=request(5, features=0.04),
    params:
        code=code("score_features.py"),
        network_seed=network_seed,
        epoch=network_epoch,
        seed=of_dataset(datasets.first_tsne_seed),
    script:
        "../scripts/score_features.py"


rule compare_layers:
    """Compare the scores of the layers."""
    input:
        scores=all_scores("results/{dataset}/scores/{layer}{training}{tsne}.json"),
        outcomes=all_scores("results/{dataset}/scores/{layer}{training}{tsne}.npz"),
        knn=all_scores("results/{dataset}/scores/{layer}{training}_knn.csv"),
        features_outcomes=all_scores("results/{dataset}/scores/{layer}{training}_features.npz"),
        predictions=of_predictions,
    output:
        table="results/{dataset}/layers.csv",
        summary="results/{dataset}/layers.json",
        knn="results/{dataset}/knn.csv",
    log:
        "logs/compare_layers/{dataset}.log",
    benchmark:
        "benchmarks/compare_layers/{dataset}.jsonl"
    localrule: True
    conda:
        "../envs/scores.yaml"
    params:
        code=code("compare_layers.py"),
        network_seeds=of_dataset(seeds_of_networks),
    script:
        "../scripts/compare_layers.py"


rule measure_similarity:
    """Measure how similar the layers represent the images: to each other, before and after training, between seeds."""
    input:
        features=all_features("results/{dataset}/features/{layer}{training}.npy"),
        labels="results/{dataset}/data/train_labels.npy",  # for the number of images
    output:
        table="results/{dataset}/similarity.csv",
    log:
        "logs/measure_similarity/{dataset}.log",
    benchmark:
        "benchmarks/measure_similarity/{dataset}.jsonl"
    conda:
        "../envs/neighbors.yaml"
    resources:
        mem_mb=request(1000, features=(0.5, config["memory_mb"])),
        block_mb=config["memory_mb"],
        runtime=request(5, features=0.01),
    params:
        code=code("measure_similarity.py"),
        states=of_dataset(states_of_features),
    script:
        "../scripts/measure_similarity.py"


rule tabulate_maps:
    """Write the coordinates of all images in all embeddings, with their labels and predictions, as a table."""
    input:
        maps=of_layers("results/{dataset}/aligned/{layer}{suffix}.npy", suffix=SUFFIXES),
        labels=images_by_split("labels"),
        outcomes=of_layers("results/{dataset}/scores/{layer}.npz"),
        names=names_by_split(),
        predictions=first_predictions,
        classes="results/{dataset}/data/classes.json",
    output:
        table="results/{dataset}/maps.csv",
    log:
        "logs/tabulate_maps/{dataset}.log",
    benchmark:
        "benchmarks/tabulate_maps/{dataset}.jsonl"
    localrule: True
    conda:
        "../envs/scores.yaml"
    params:
        code=code("tabulate_maps.py"),
        layers=of_dataset(datasets.layer_names),
    script:
        "../scripts/tabulate_maps.py"


rule write_methods:
    """Write the methods section of the run, for a paper."""
    input:
        labels=images_by_split("labels"),
        classes="results/{dataset}/data/classes.json",
        images=of_images(["results/{dataset}/data/train_images.npy"]),
        networks=of_networks("results/{dataset}/network/network{training}.json"),
        controls=of_controls("results/{dataset}/network/network{training}.json"),
        records=of_layers("results/{dataset}/maps/{layer}.json"),
    output:
        methods="results/{dataset}/methods.md",
    log:
        "logs/write_methods/{dataset}.log",
    benchmark:
        "benchmarks/write_methods/{dataset}.jsonl"
    localrule: True
    conda:
        "../envs/maps.yaml"
    params:
        code=code("write_methods.py"),
        architecture_code=architecture_code,
        settings=of_dataset(methods_settings),
    script:
        "../scripts/write_methods.py"


rule summarize_run:
    """Summarize the run for the report: scores, embeddings, methods, configuration and versions."""
    input:
        summary="results/{dataset}/layers.json",
        table="results/{dataset}/layers.csv",
        methods="results/{dataset}/methods.md",
        networks=of_networks("results/{dataset}/network/network{training}.json"),
        records=of_layers("results/{dataset}/maps/{layer}.json"),
    output:
        page=report(
            "results/{dataset}/summary.html",
            **in_report(LAYERS_IN_REPORT, "summary", "tables, configuration, versions"),
        ),
    log:
        "logs/summarize_run/{dataset}.log",
    benchmark:
        "benchmarks/summarize_run/{dataset}.jsonl"
    localrule: True
    conda:
        "../envs/scores.yaml"
    params:
        code=code("summarize_run.py"),
        layers=of_dataset(datasets.layer_names),
        configuration=of_dataset(with_gpu),
        pins={"snakemake": snakemake.__version__} | provenance.read_pins(ENVIRONMENTS),
    script:
        "../scripts/summarize_run.py"
