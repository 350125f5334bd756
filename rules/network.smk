# Needs: the images and labels of results/{dataset}/data.
# Makes: results/{dataset}/network/network.keras, the trained network, and history.csv, a row an epoch;
#        results/{dataset}/features/{layer}.npy, (n, d) float32, a row a training image, in the data set's order;
#        results/{dataset}/network/conv1_filters.npy, (height, width, channels, filters) float32.


rule train_network:
    """Train the CNN."""
    input:
        train_images="results/{dataset}/data/train_images.npy",
        train_labels="results/{dataset}/data/train_labels.npy",
        validation_images="results/{dataset}/data/validation_images.npy",
        validation_labels="results/{dataset}/data/validation_labels.npy",
    output:
        network="results/{dataset}/network/network.keras",
        history="results/{dataset}/network/history.csv",
    log:
        "logs/train_network/{dataset}.log",
    benchmark:
        "benchmarks/train_network/{dataset}.jsonl"
    priority: 1  # the longest way to the figures goes through it
    conda:
        "../envs/network-gpu.yaml" if GPU_FOR_NETWORK else "../envs/network.yaml"
    threads: 2  # with another number the weights differ in the last digits, and in the end the network a little
    resources:
        gpu=int(GPU_FOR_NETWORK),
        mem_mb=by_size(1300, train_images=6),
        runtime=by_size(15, train_images=0.01 * sum(phase["epochs"] for phase in config["network"]["schedule"])),
    params:
        helpers=helpers("arrays", "backend", "files", "jobs"),
        seed=config["network"]["seed"],
        learning_rate=config["network"]["learning_rate"],
        schedule=config["network"]["schedule"],
    script:
        "../scripts/train_network.py"


rule extract_features:
    """Write what one layer makes of each training image."""
    input:
        network="results/{dataset}/network/network.keras",
        images="results/{dataset}/data/train_images.npy",
    output:
        features="results/{dataset}/features/{layer}.npy",
    log:
        "logs/extract_features/{dataset}/{layer}.log",
    benchmark:
        "benchmarks/extract_features/{dataset}/{layer}.jsonl"
    conda:
        "../envs/network.yaml"
    resources:
        mem_mb=by_size(1300, images=7),
        disk_mb=by_size(100, images=8),
        runtime=by_size(5, images=0.01),
    params:
        helpers=helpers("arrays", "backend", "files", "jobs"),
    script:
        "../scripts/extract_features.py"


rule flatten_images:
    """The layer "pixel": the images themselves, which need no network."""
    input:
        images="results/{dataset}/data/train_images.npy",
    output:
        features="results/{dataset}/features/pixel.npy",
    log:
        "logs/flatten_images/{dataset}.log",
    benchmark:
        "benchmarks/flatten_images/{dataset}.jsonl"
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
        helpers=helpers("backend", "files", "jobs"),
    script:
        "../scripts/extract_filters.py"
