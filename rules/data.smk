# Needs: the files that a data set names in the configuration, or a source to download them from.
# Makes: resources/{download}.pkl.gz; for each data set results/{dataset}/data/{split}_images.npy, (n, height, width,
#        channels) float32 in [0, 1], and {split}_labels.npy, (n,) int64, for the splits train, validation and test, and
#        classes.json, the class names, by class number, and {split}_files.csv, the images' files or the vectors' names,
#        with rows only if there are such names. Of vectors are made, in addition, results/{dataset}/features/{layer}.npy,
#        {layer}_validation.npy and {layer}_test.npy, (n, d) float32, data/rows.npy, the training rows of their files that
#        are used, data/class_labels.json, the label of each class in the files, and network/predictions.csv, the
#        predictions that come with them.


rule download_dataset:
    """Download a data set from the first source that has it, and verify its content."""
    output:
        "resources/{download}.pkl.gz",
    log:
        "logs/download_dataset/{download}.log",
    benchmark:
        "benchmarks/download_dataset/{download}.jsonl"
    wildcard_constraints:
        download=any_of(config["downloads"]),
    localrule: True
    conda:
        "../envs/data.yaml"
    params:
        code=code("download_dataset.py"),
        sources=lookup("downloads/{download}/sources", within=config),
        sha256=lookup("downloads/{download}/sha256", within=config),
        validation_size=lookup("downloads/{download}/validation_size", within=config),
    script:
        "../scripts/download_dataset.py"


rule prepare_dataset:
    """Read a data set's images and labels in any supported format, and split them."""
    input:
        unpack(dataset_files),
    output:
        train_images="results/{dataset}/data/train_images.npy",
        train_labels="results/{dataset}/data/train_labels.npy",
        validation_images="results/{dataset}/data/validation_images.npy",
        validation_labels="results/{dataset}/data/validation_labels.npy",
        test_images="results/{dataset}/data/test_images.npy",
        test_labels="results/{dataset}/data/test_labels.npy",
        train_files="results/{dataset}/data/train_files.csv",
        validation_files="results/{dataset}/data/validation_files.csv",
        test_files="results/{dataset}/data/test_files.csv",
        classes="results/{dataset}/data/classes.json",
    log:
        "logs/prepare_dataset/{dataset}.log",
    benchmark:
        "benchmarks/prepare_dataset/{dataset}.jsonl"
    wildcard_constraints:
        dataset=any_of([name for name in IMAGES if name not in ALIKE]),
    localrule: True
    conda:
        "../envs/data.yaml"
    params:
        code=code("prepare_dataset.py"),
        reader=reader_code,
        kind=setting("kind"),
        folder_options=folder_options,
        folder_digest=folder_digest,
        columns=setting("columns"),
        classes=setting("classes"),
        sample=setting("sample"),
        trained=setting("trained"),
        hold_out=setting("hold_out"),
    script:
        "../scripts/prepare_dataset.py"


rule share_file:
    """Share a file of the images or of their pixels with a data set that is like another one."""
    input:
        file=file_of_other,
    output:
        file="results/{dataset}/{file}",
    log:
        "logs/share_file/{dataset}/{file}.log",
    benchmark:
        "benchmarks/share_file/{dataset}/{file}.jsonl"
    wildcard_constraints:
        dataset=any_of(ALIKE),
        file=r"data/[^/]+|(features|neighbors|maps|aligned|scores)/pixel(-tsne\d+)?(_[a-z]+)?\.[a-z]+",
    localrule: True
    conda:
        "../envs/data.yaml"
    params:
        code=code("share_file.py"),
    script:
        "../scripts/share_file.py"


# The other rules that make files of pixels.
ruleorder: share_file > flatten_images > extract_features > find_neighbors > gather_neighbors
ruleorder: share_file > embed_tsne > gather_map > transform_images > align_map > score_map > score_features


rule prepare_labels:
    """Read the labels of vectors, and choose the rows to use."""
    input:
        unpack(vector_files("vectors", "checkpoints", "labels", "ids")),
    output:
        rows="results/{dataset}/data/rows.npy",
        train_labels="results/{dataset}/data/train_labels.npy",
        validation_labels="results/{dataset}/data/validation_labels.npy",
        test_labels="results/{dataset}/data/test_labels.npy",
        train_files="results/{dataset}/data/train_files.csv",
        validation_files="results/{dataset}/data/validation_files.csv",
        test_files="results/{dataset}/data/test_files.csv",
        classes="results/{dataset}/data/classes.json",
        class_labels="results/{dataset}/data/class_labels.json",
    log:
        "logs/prepare_labels/{dataset}.log",
    benchmark:
        "benchmarks/prepare_labels/{dataset}.jsonl"
    wildcard_constraints:
        dataset=any_of(VECTORS),
    localrule: True
    conda:
        "../envs/data.yaml"
    params:
        code=code("prepare_labels.py"),
        layers=of_dataset(datasets.layer_names),
        control_layers=of_dataset(datasets.control_layers),
        columns=setting("columns"),
        classes=setting("classes"),
        sample=setting("sample"),
    script:
        "../scripts/prepare_labels.py"


rule prepare_texts:
    """Read the texts of vectors, which the explorer shows."""
    input:
        unpack(vector_files("vectors", "text")),
        rows="results/{dataset}/data/rows.npy",
    output:
        texts=[f"results/{{dataset}}/data/{split}_texts.json" for split in SPLITS],
    log:
        "logs/prepare_texts/{dataset}.log",
    benchmark:
        "benchmarks/prepare_texts/{dataset}.jsonl"
    wildcard_constraints:
        dataset=any_of(VECTORS),
    localrule: True
    conda:
        "../envs/data.yaml"
    params:
        code=code("prepare_texts.py"),
        columns=setting("columns"),
    script:
        "../scripts/prepare_texts.py"


rule prepare_vectors:
    """Read vectors as the features of a layer."""
    input:
        unpack(layer_files),
        rows="results/{dataset}/data/rows.npy",
    output:
        features=by_split("results/{dataset}/features/{layer}{training}{split}.npy"),
    log:
        "logs/prepare_vectors/{dataset}/{layer}{training}.log",
    benchmark:
        "benchmarks/prepare_vectors/{dataset}/{layer}{training}.jsonl"
    wildcard_constraints:
        dataset=any_of(VECTORS),
    localrule: True
    conda:
        "../envs/data.yaml"
    params:
        code=code("prepare_vectors.py"),
    script:
        "../scripts/prepare_vectors.py"


rule prepare_images:
    """Read the images of vectors."""
    input:
        unpack(vector_files("vectors", "images")),
        rows="results/{dataset}/data/rows.npy",
    output:
        images=images_by_split("images"),
    log:
        "logs/prepare_images/{dataset}.log",
    benchmark:
        "benchmarks/prepare_images/{dataset}.jsonl"
    wildcard_constraints:
        dataset=any_of([name for name in VECTORS if name in ILLUSTRATED]),
    priority: 1  # a mismatch ends the run before anything long does
    localrule: True
    conda:
        "../envs/data.yaml"
    params:
        code=code("prepare_images.py"),
        folder_options=folder_options,
        digests=image_digests,
    script:
        "../scripts/prepare_images.py"


rule prepare_predictions:
    """Read the classes that the user's own network predicts for vectors."""
    input:
        unpack(vector_files("vectors", "predictions")),
        rows="results/{dataset}/data/rows.npy",
        labels=images_by_split("labels"),
        names=names_by_split(),
        class_labels="results/{dataset}/data/class_labels.json",
    output:
        predictions="results/{dataset}/network/predictions.csv",
    log:
        "logs/prepare_predictions/{dataset}.log",
    benchmark:
        "benchmarks/prepare_predictions/{dataset}.jsonl"
    wildcard_constraints:
        dataset=any_of([name for name in VECTORS if name in PREDICTED]),
    priority: 1
    localrule: True
    conda:
        "../envs/scores.yaml"
    params:
        code=code("prepare_predictions.py"),
        columns=setting("columns"),
    script:
        "../scripts/prepare_predictions.py"
