# Needs: the images and labels in results/{dataset}/data.
# Makes: results/{dataset}/network/network.keras, network.json, how it was made, history.csv, a row an epoch, and
#        predictions.csv, a row an image; results/{dataset}/features/{layer}.npy, (n, d) float32, a row a training image, and
#        {layer}_validation.npy and {layer}_test.npy, the same for the other splits;
#        results/{dataset}/network/conv1_filters.npy, (height, width, channels, filters) float32. With several seeds, the
#        files of all but the first have the suffix -training{seed}; those of the network after an epoch have -epoch{number}, 0 before training.


rule train_network:
    """Train a network."""
    input:
        model=model_file,
        model_imports=model_imports,
        train_images="results/{dataset}/data/train_images.npy",
        train_labels="results/{dataset}/data/train_labels.npy",
        validation_images="results/{dataset}/data/validation_images.npy",
        validation_labels="results/{dataset}/data/validation_labels.npy",
        classes="results/{dataset}/data/classes.json",
    output:
        network="results/{dataset}/network/network{training}.keras",
        history="results/{dataset}/network/history{training}.csv",
        record="results/{dataset}/network/network{training}.json",
    log:
        "logs/train_network/{dataset}{training}.log",
    benchmark:
        "benchmarks/train_network/{dataset}{training}.jsonl"
    wildcard_constraints:
        dataset=any_of(TRAINED),
        training=any_of(LAST),
    priority: 1  # the longest path to the figures goes through it
    conda:
        NETWORK_ENV
    threads: 2  # always so many; the default profile counts one
    resources:
        gpu=int(GPU_FOR_NETWORK),
        mem_mb=request(1300, train_images=6),
        runtime=training_minutes,
        kept_epochs=kept_epochs,  # it changes no result
    params:
        code=code("train_network.py"),
        architecture_code=architecture_code,
        model=setting("network/model"),
        architecture=architecture_settings,
        seed=network_seed,
        shuffle_labels=setting("network/shuffle_labels"),
        learning_rate=setting("network/learning_rate"),
        schedule=setting("network/schedule"),
    script:
        "../scripts/train_network.py"


rule restore_network:
    """Make a network as it was after an epoch: from what its training kept, or by training it again."""
    input:
        network=last_network,
        model=model_file,
        model_imports=model_imports,
        train_images="results/{dataset}/data/train_images.npy",
        train_labels="results/{dataset}/data/train_labels.npy",
        validation_images="results/{dataset}/data/validation_images.npy",
        validation_labels="results/{dataset}/data/validation_labels.npy",
        classes="results/{dataset}/data/classes.json",
    output:
        network="results/{dataset}/network/network{training}.keras",
        record="results/{dataset}/network/network{training}.json",
    log:
        "logs/restore_network/{dataset}{training}.log",
    benchmark:
        "benchmarks/restore_network/{dataset}{training}.jsonl"
    wildcard_constraints:
        dataset=any_of(TRAINED),
        training=any_of(BETWEEN),
    conda:
        NETWORK_ENV
    threads: 2  # as train_network
    resources:
        gpu=int(GPU_FOR_NETWORK),
        mem_mb=request(1300, train_images=6),
        runtime=training_minutes,
    params:
        code=code("restore_network.py"),
        architecture_code=architecture_code,
        model=setting("network/model"),
        architecture=architecture_settings,
        seed=network_seed,
        epoch=network_epoch,
        shuffle_labels=setting("network/shuffle_labels"),
        learning_rate=setting("network/learning_rate"),
        schedule=setting("network/schedule"),
    script:
        "../scripts/restore_network.py"


rule import_model:
    """Import a trained model, and transform the images to its input."""
    input:
        model=model_file,
        weights=optional_file("network/weights"),
        train_images="results/{dataset}/data/train_images.npy",  # for their shape
    output:
        network="results/{dataset}/network/network.keras",
        record="results/{dataset}/network/network.json",
    log:
        "logs/import_model/{dataset}.log",
    benchmark:
        "benchmarks/import_model/{dataset}.jsonl"
    wildcard_constraints:
        dataset=any_of(IMPORTED),
    localrule: True
    conda:
        "../envs/network.yaml"
    params:
        code=code("import_model.py"),
        model=setting("network/model"),
        input=setting("network/input"),
    script:
        "../scripts/import_model.py"


rule initialize_network:
    """Make the network before training, the control: initial weights, batch normalization's averages from images."""
    input:
        model=trained_model_file,
        model_imports=model_imports,
        network=imported_network,
        train_images="results/{dataset}/data/train_images.npy",
        classes="results/{dataset}/data/classes.json",
    output:
        network="results/{dataset}/network/network{training}.keras",
        record="results/{dataset}/network/network{training}.json",
    log:
        "logs/initialize_network/{dataset}{training}.log",
    benchmark:
        "benchmarks/initialize_network/{dataset}{training}.jsonl"
    wildcard_constraints:
        dataset=any_of(IMAGES),
        training=any_of(INITIAL),
    conda:
        "../envs/network.yaml"
    resources:
        mem_mb=request(3300, network=6),
        runtime=5,
    params:
        code=code("initialize_network.py"),
        architecture_code=architecture_code,
        model=setting("network/model"),
        architecture=architecture_settings,
        seed=network_seed,
    script:
        "../scripts/initialize_network.py"


rule predict_labels:
    """Predict the class of each image."""
    input:
        network="results/{dataset}/network/network{training}.keras",
        images=images_by_split("images"),
        labels=images_by_split("labels"),
        names=names_by_split(),
        classes="results/{dataset}/data/classes.json",
    output:
        predictions="results/{dataset}/network/predictions{training}.csv",
    log:
        "logs/predict_labels/{dataset}{training}.log",
    benchmark:
        "benchmarks/predict_labels/{dataset}{training}.jsonl"
    wildcard_constraints:
        dataset=any_of(IMAGES),
        training=any_of(LAST),
    conda:
        "../envs/network.yaml"
    resources:
        mem_mb=request(1300, images=(2, config["memory_mb"]), network=6),
        runtime=request(5, images=0.01),
    params:
        code=code("predict_labels.py"),
        splits=SPLITS,
        classes=setting("classes"),
        class_order=class_order,
    script:
        "../scripts/predict_labels.py"


rule extract_features:
    """Extract the features of one layer for the images of each split."""
    input:
        network="results/{dataset}/network/network{training}.keras",
        images=images_by_split("images"),
    output:
        features=by_split("results/{dataset}/features/{layer}{training}{split}.npy"),
    log:
        "logs/extract_features/{dataset}/{layer}{training}.log",
    benchmark:
        "benchmarks/extract_features/{dataset}/{layer}{training}.jsonl"
    wildcard_constraints:
        dataset=any_of(IMAGES),
    conda:
        "../envs/network.yaml"
    resources:
        mem_mb=request(1300, images=(7, config["memory_mb"]), network=6),
        disk_mb=request(100, images=8),
        runtime=request(5, images=0.01),
    params:
        code=code("extract_features.py"),
        layer=layer_setting("layer"),
        pool=layer_setting("pool"),
    script:
        "../scripts/extract_features.py"


rule flatten_images:
    """Write the features of the layer "pixel", which needs no network: the images themselves."""
    input:
        images=images_by_split("images"),
    output:
        features=by_split("results/{dataset}/features/pixel{split}.npy"),
    log:
        "logs/flatten_images/{dataset}.log",
    benchmark:
        "benchmarks/flatten_images/{dataset}.jsonl"
    wildcard_constraints:
        dataset=any_of(IMAGES),
    localrule: True
    conda:
        "../envs/data.yaml"
    params:
        code=code("flatten_images.py"),
    script:
        "../scripts/flatten_images.py"


rule extract_filters:
    """Extract the filters of the first convolution, so that their figure needs no TensorFlow."""
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
        code=code("extract_filters.py"),
    script:
        "../scripts/extract_filters.py"
