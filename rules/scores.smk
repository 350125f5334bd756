# Needs: results/{dataset}/features, neighbors and maps; results/{dataset}/network/predictions.csv.
# Makes: results/{dataset}/scores/{layer}.json, how well a layer and its map keep the classes and the neighbors, on training and on
#        test images; results/{dataset}/layers.csv, a row a layer, split and pair of seeds, and layers.json, a summary;
#        results/{dataset}/maps.csv, a row an image, for other tools.


rule score_map:
    """Say in numbers how well a layer keeps the classes apart, and how well its map keeps the layer."""
    input:
        features="results/{dataset}/features/{layer}{training}.npy",
        neighbors="results/{dataset}/neighbors/{layer}{training}.npz",
        map="results/{dataset}/maps/{layer}{training}{tsne}.npy",
        facts="results/{dataset}/maps/{layer}{training}{tsne}.json",
        labels="results/{dataset}/data/train_labels.npy",
        test_features="results/{dataset}/features/{layer}{training}_test.npy",
        test_neighbors="results/{dataset}/neighbors/{layer}{training}_test.npz",
        test_map="results/{dataset}/maps/{layer}{training}{tsne}_test.npy",
        test_labels="results/{dataset}/data/test_labels.npy",
    output:
        scores="results/{dataset}/scores/{layer}{training}{tsne}.json",
    log:
        "logs/score_map/{dataset}/{layer}{training}{tsne}.log",
    benchmark:
        "benchmarks/score_map/{dataset}/{layer}{training}{tsne}.jsonl"
    conda:
        "../envs/scores.yaml"
    resources:
        mem_mb=by_size(900, features=0.7, neighbors=4),
        runtime=by_size(5, neighbors=0.1),
    params:
        helpers=helpers("arrays", "files", "jobs"),
        network_seed=lambda wildcards: None if wildcards.layer == "pixel" else TRAININGS[wildcards.training],
        tsne_seed=lambda wildcards: TSNES[wildcards.tsne],
    script:
        "../scripts/score_map.py"


rule compare_layers:
    """Put the layers' scores side by side."""
    input:
        scores=[
            f"results/{{dataset}}/scores/{layer}{training}{tsne}.json"
            for layer in config["layers"]
            for training in trainings_of(layer)
            for tsne in TSNES
        ],
        predictions=[f"results/{{dataset}}/network/predictions{training}.csv" for training in NETWORKS],
    output:
        table="results/{dataset}/layers.csv",
        summary="results/{dataset}/layers.json",
    log:
        "logs/compare_layers/{dataset}.log",
    benchmark:
        "benchmarks/compare_layers/{dataset}.jsonl"
    localrule: True
    conda:
        "../envs/scores.yaml"
    params:
        helpers=helpers("arrays", "files", "jobs", "tables"),
        network_seeds=[TRAININGS[training] for training in NETWORKS],
        reference=REFERENCE,
    script:
        "../scripts/compare_layers.py"


rule tabulate_maps:
    """Write the places of all images in all maps as a table, with what they show and what the network says."""
    input:
        maps=expand("results/{{dataset}}/aligned/{layer}{part}.npy", layer=config["layers"], part=["", "_test"]),
        labels=expand("results/{{dataset}}/data/{split}_labels.npy", split=["train", "test"]),
        predictions=["results/{dataset}/network/predictions.csv"] if NETWORKS else [],
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
        helpers=helpers("arrays", "files", "jobs", "tables"),
        layers=config["layers"],
    script:
        "../scripts/tabulate_maps.py"


rule summarize_run:
    """Sum the run up for the report: the layers' scores, how the maps were made, configuration and versions."""
    input:
        table="results/{dataset}/layers.csv",
        facts=expand("results/{{dataset}}/maps/{layer}.json", layer=config["layers"]),
    output:
        page=report(
            "results/{dataset}/summary.html",
            category=LAYERS_IN_REPORT,
            caption="../report/summary.rst",
            labels={"layer": "all", "figure": "tables, configuration, versions"},
        ),
    log:
        "logs/summarize_run/{dataset}.log",
    benchmark:
        "benchmarks/summarize_run/{dataset}.jsonl"
    localrule: True
    conda:
        "../envs/scores.yaml"
    params:
        helpers=helpers("arrays", "files", "jobs", "tables"),
        layers=config["layers"],
        configuration=config,
        pins=pins(),
    script:
        "../scripts/summarize_run.py"
