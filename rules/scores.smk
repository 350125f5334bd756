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
        landmarks=lambda wildcards: (
            f"results/{wildcards.dataset}/landmarks/{wildcards.layer}{wildcards.training}/rows.npy"
            if wildcards.dataset in LANDMARKED
            else []
        ),
        test_features="results/{dataset}/features/{layer}{training}_test.npy",
        test_neighbors="results/{dataset}/neighbors/{layer}{training}_test.npz",
        test_map="results/{dataset}/maps/{layer}{training}{tsne}_test.npy",
        test_labels="results/{dataset}/data/test_labels.npy",
        classes="results/{dataset}/data/classes.json",
    output:
        scores="results/{dataset}/scores/{layer}{training}{tsne}.json",
    log:
        "logs/score_map/{dataset}/{layer}{training}{tsne}.log",
    benchmark:
        "benchmarks/score_map/{dataset}/{layer}{training}{tsne}.jsonl"
    conda:
        "../envs/scores.yaml"
    resources:
        mem_mb=by_size(900, most=2000, features=0.7, neighbors=4),
        runtime=by_size(5, neighbors=0.1),
    params:
        helpers=helpers("arrays", "files", "jobs", "neighbors", "pieces", "scoring", "tables"),
        of_network=lambda wildcards: is_of_network(wildcards.dataset, wildcards.layer),
        network_seed=lambda wildcards: (
            trainings(wildcards.dataset)[wildcards.training]
            if is_of_network(wildcards.dataset, wildcards.layer)
            else None
        ),
        tsne_seed=lambda wildcards: tsnes(wildcards.dataset)[wildcards.tsne],
    script:
        "../scripts/score_map.py"


rule compare_layers:
    """Put the layers' scores side by side."""
    input:
        scores=lambda wildcards: [
            f"results/{wildcards.dataset}/scores/{layer}{training}{tsne}.json"
            for layer in layers(wildcards.dataset)
            for training in trainings_of(wildcards.dataset, layer)
            for tsne in tsnes(wildcards.dataset)
        ],
        predictions=lambda wildcards: predictions(wildcards.dataset),
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
        network_seeds=lambda wildcards: [
            trainings(wildcards.dataset)[training] for training in networks(wildcards.dataset)
        ],
        reference=lambda wildcards: reference(wildcards.dataset),
    script:
        "../scripts/compare_layers.py"


rule tabulate_maps:
    """Write the places of all images in all maps as a table, with what they show and what the network says."""
    input:
        maps=of_layers("results/{dataset}/aligned/{layer}{part}.npy", part=["", "_test"]),
        labels=expand("results/{{dataset}}/data/{split}_labels.npy", split=["train", "test"]),
        predictions=lambda wildcards: predictions(wildcards.dataset)[:1],
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
        helpers=helpers("arrays", "files", "jobs", "tables"),
        layers=lambda wildcards: layers(wildcards.dataset),
    script:
        "../scripts/tabulate_maps.py"


rule write_methods:
    """Write the methods paragraphs of the run, to paste into a paper, from what was used."""
    input:
        train_labels="results/{dataset}/data/train_labels.npy",
        validation_labels="results/{dataset}/data/validation_labels.npy",
        test_labels="results/{dataset}/data/test_labels.npy",
        classes="results/{dataset}/data/classes.json",
        images=images_of("train"),
        networks=lambda wildcards: expand(
            "results/{dataset}/network/network{training}.json",
            dataset=wildcards.dataset,
            training=networks(wildcards.dataset),
        ),
        facts=of_layers("results/{dataset}/maps/{layer}.json"),
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
        helpers=helpers("arrays", "files", "jobs", "made_by", "placing", "scoring"),
        settings=lambda wildcards: {
            key: SETTINGS[wildcards.dataset][key] for key in ("kind", "trained", "sample", "network", "layers", "tsne")
        },
    script:
        "../scripts/write_methods.py"


rule summarize_run:
    """Sum the run up for the report: the layers' scores, how the maps were made, configuration and versions."""
    input:
        table="results/{dataset}/layers.csv",
        methods="results/{dataset}/methods.md",
        networks=rules.write_methods.input.networks,
        facts=of_layers("results/{dataset}/maps/{layer}.json"),
    output:
        page=report(
            "results/{dataset}/summary.html",
            **shown(LAYERS_IN_REPORT, "summary", "tables, configuration, versions"),
        ),
    log:
        "logs/summarize_run/{dataset}.log",
    benchmark:
        "benchmarks/summarize_run/{dataset}.jsonl"
    localrule: True
    conda:
        "../envs/scores.yaml"
    params:
        helpers=helpers("arrays", "files", "jobs", "made_by", "provenance", "tables"),
        layers=lambda wildcards: layers(wildcards.dataset),
        configuration=lambda wildcards: SETTINGS[wildcards.dataset] | {"gpu": config["gpu"]},
        pins=pins(),
    script:
        "../scripts/summarize_run.py"
