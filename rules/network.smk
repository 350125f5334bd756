# Needs: the images and labels of results/{dataset}/data.
# Makes: results/{dataset}/network/network.keras, the trained network, history.csv, a row an epoch, and predictions.csv, a row an image;
#        results/{dataset}/features/{layer}.npy, (n, d) float32, a row a training image, in the data set's order, and
#        {layer}_test.npy, the same of the test images;
#        results/{dataset}/network/conv1_filters.npy, (height, width, channels, filters) float32.
# Where there are several seeds, of those after the first the names end in -training{seed}.


rule train_network:
    """Train the CNN."""
    input:
        model=model_file(".py"),
        train_images="results/{dataset}/data/train_images.npy",
        train_labels="results/{dataset}/data/train_labels.npy",
        validation_images="results/{dataset}/data/validation_images.npy",
        validation_labels="results/{dataset}/data/validation_labels.npy",
        classes="results/{dataset}/data/classes.json",
    output:
        network="results/{dataset}/network/network{training}.keras",
        history="results/{dataset}/network/history{training}.csv",
        facts="results/{dataset}/network/network{training}.json",
    log:
        "logs/train_network/{dataset}{training}.log",
    benchmark:
        "benchmarks/train_network/{dataset}{training}.jsonl"
    wildcard_constraints:
        dataset=one_of(TRAINED),
    priority: 1  # the longest way to the figures goes through it
    conda:
        "../envs/network-gpu.yaml" if GPU_FOR_NETWORK else "../envs/network.yaml"
    threads: 2  # with another number the weights differ in the last digits, and in the end the network a little
    resources:
        gpu=int(GPU_FOR_NETWORK),
        mem_mb=by_size(1300, train_images=6),
        runtime=lambda wildcards, input, attempt: by_size(15, train_images=0.01 * epochs(wildcards))(
            wildcards, input, attempt
        ),
    params:
        helpers=helpers("arrays", "backend", "files", "jobs", "networks", "provenance"),
        seed=lambda wildcards: trainings(wildcards.dataset)[wildcards.training],
        filters=setting("network", "filters"),
        kernel=setting("network", "kernel"),
        units=setting("network", "units"),
        learning_rate=setting("network", "learning_rate"),
        schedule=setting("network", "schedule"),
    script:
        "../scripts/train_network.py"


rule adopt_network:
    """Take a model that is used as it is, and make the images fit it."""
    input:
        model=model_file(".keras"),
        weights=lambda wildcards: SETTINGS[wildcards.dataset]["network"]["weights"] or [],
        train_images="results/{dataset}/data/train_images.npy",  # for their shape
    output:
        network="results/{dataset}/network/network.keras",
        facts="results/{dataset}/network/network.json",
    log:
        "logs/adopt_network/{dataset}.log",
    benchmark:
        "benchmarks/adopt_network/{dataset}.jsonl"
    wildcard_constraints:
        dataset=one_of(ADOPTED),
    localrule: True
    conda:
        "../envs/network.yaml"
    params:
        helpers=helpers("arrays", "backend", "files", "jobs", "model_files", "networks", "provenance"),
        model=setting("network", "model"),
        input=setting("network", "input"),
    script:
        "../scripts/adopt_network.py"


rule predict_labels:
    """Ask the network what each image shows."""
    input:
        network="results/{dataset}/network/network{training}.keras",
        images=expand("results/{{dataset}}/data/{split}_images.npy", split=SPLITS),
        labels=expand("results/{{dataset}}/data/{split}_labels.npy", split=SPLITS),
        classes="results/{dataset}/data/classes.json",
    output:
        predictions="results/{dataset}/network/predictions{training}.csv",
    log:
        "logs/predict_labels/{dataset}{training}.log",
    benchmark:
        "benchmarks/predict_labels/{dataset}{training}.jsonl"
    conda:
        "../envs/network.yaml"
    resources:
        mem_mb=by_size(1300, most=config["memory"], images=2, network=6),
        runtime=by_size(5, images=0.01),
    params:
        helpers=helpers("arrays", "backend", "files", "jobs", "model_files", "networks"),
        splits=SPLITS,
    script:
        "../scripts/predict_labels.py"


rule extract_features:
    """Write what one layer makes of each training image, and of each test image."""
    input:
        network="results/{dataset}/network/network{training}.keras",
        images="results/{dataset}/data/train_images.npy",
        test_images="results/{dataset}/data/test_images.npy",
    output:
        features="results/{dataset}/features/{layer}{training}.npy",
        test_features="results/{dataset}/features/{layer}{training}_test.npy",
    log:
        "logs/extract_features/{dataset}/{layer}{training}.log",
    benchmark:
        "benchmarks/extract_features/{dataset}/{layer}{training}.jsonl"
    wildcard_constraints:
        dataset=one_of(IMAGES),
    conda:
        "../envs/network.yaml"
    resources:
        mem_mb=by_size(1300, most=config["memory"], images=7, network=6),
        disk_mb=by_size(100, images=8, test_images=8),
        runtime=by_size(5, images=0.01, test_images=0.01),
    params:
        helpers=helpers("arrays", "backend", "files", "jobs", "model_files", "networks"),
        layer=lambda wildcards: layer_of(wildcards)["layer"],
        pool=lambda wildcards: layer_of(wildcards)["pool"],
    script:
        "../scripts/extract_features.py"


rule flatten_images:
    """The layer "pixel": the images themselves, which need no network."""
    input:
        images="results/{dataset}/data/train_images.npy",
        test_images="results/{dataset}/data/test_images.npy",
    output:
        features="results/{dataset}/features/pixel.npy",
        test_features="results/{dataset}/features/pixel_test.npy",
    log:
        "logs/flatten_images/{dataset}.log",
    benchmark:
        "benchmarks/flatten_images/{dataset}.jsonl"
    wildcard_constraints:
        dataset=one_of(IMAGES),
    localrule: True
    conda:
        "../envs/data.yaml"
    params:
        helpers=helpers("arrays", "files", "jobs"),
    script:
        "../scripts/flatten_images.py"


ruleorder: flatten_images > extract_features


rule extract_filters:
    """Write the filters of the first convolution, so that their figure needs no TensorFlow."""
    input:
        network="results/{dataset}/network/network.keras",
    output:
        filters="results/{dataset}/network/conv1_filters.npy",
    log:
        "logs/extract_filters/{dataset}.log",
    benchmark:
        "benchmarks/extract_filters/{dataset}.jsonl"
    localrule: True
    conda:
        "../envs/network.yaml"
    params:
        helpers=helpers("backend", "files", "jobs", "model_files", "networks"),
    script:
        "../scripts/extract_filters.py"
