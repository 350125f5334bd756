# Needs: the files that a data set names in the configuration, or a source to download them from.
# Makes: resources/{download}.pkl.gz; for each data set results/{dataset}/data/{split}_images.npy, (n, height, width,
#        channels) float32 in [0, 1], and {split}_labels.npy, (n,) int64, for the splits train, validation and test, and
#        classes.json, the class names, by class number, and {split}_files.csv, the images' files or the vectors' names,
#        with rows only if there are such names. Vectors have no images and one split; of them are made
#        results/{dataset}/features/{layer}.npy, (n, d) float32, and data/rows.npy, the rows of their files that are used.


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
        dataset=any_of(IMAGES),
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


rule prepare_labels:
    """Read the labels of vectors, and choose the rows to use."""
    input:
        vectors=vector_files,
        labels=optional_file("labels"),
        ids=optional_file("ids"),
    output:
        rows="results/{dataset}/data/rows.npy",
        train_labels="results/{dataset}/data/train_labels.npy",
        validation_labels="results/{dataset}/data/validation_labels.npy",
        test_labels="results/{dataset}/data/test_labels.npy",
        train_files="results/{dataset}/data/train_files.csv",
        validation_files="results/{dataset}/data/validation_files.csv",
        test_files="results/{dataset}/data/test_files.csv",
        classes="results/{dataset}/data/classes.json",
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
        columns=setting("columns"),
        classes=setting("classes"),
        sample=setting("sample"),
    script:
        "../scripts/prepare_labels.py"


rule prepare_vectors:
    """Read vectors as the features of a layer."""
    input:
        vectors=vector_files,
        rows="results/{dataset}/data/rows.npy",
    output:
        features=by_split("results/{dataset}/features/{layer}{split}.npy"),
    log:
        "logs/prepare_vectors/{dataset}/{layer}.log",
    benchmark:
        "benchmarks/prepare_vectors/{dataset}/{layer}.jsonl"
    wildcard_constraints:
        dataset=any_of(VECTORS),
    localrule: True
    conda:
        "../envs/data.yaml"
    params:
        code=code("prepare_vectors.py"),
    script:
        "../scripts/prepare_vectors.py"
