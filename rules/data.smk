# Needs: what datasets says: files of one's own, or a source from which one can be fetched (downloads).
# Makes: resources/{download}.pkl.gz, and for each data set results/{dataset}/data/{split}_images.npy,
#        (n, height, width, channels) float32 in [0, 1], {split}_labels.npy, (n,) int64, for the splits train, validation and
#        test, and classes.json, the names of the classes that the labels number;
#        of vectors, which have no images and one split, results/{dataset}/features/{layer}.npy, (n, d) float32, and
#        data/rows.npy, the rows of their files that are mapped.


rule download_dataset:
    """Fetch a data set from the first source that has it, and verify its content."""
    output:
        "resources/{download}.pkl.gz",
    log:
        "logs/download_dataset/{download}.log",
    benchmark:
        "benchmarks/download_dataset/{download}.jsonl"
    wildcard_constraints:
        download=one_of(config["downloads"]),
    localrule: True
    conda:
        "../envs/data.yaml"
    params:
        helpers=helpers("jobs", "mnist_pickle"),
        sources=lambda wildcards: config["downloads"][wildcards.download]["sources"],
        sha256=lambda wildcards: config["downloads"][wildcards.download]["sha256"],
        validation_size=lambda wildcards: config["downloads"][wildcards.download]["validation_size"],
    script:
        "../scripts/download_dataset.py"


rule prepare_dataset:
    """Read a data set's images and labels, whatever it is kept in, and split them."""
    input:
        unpack(sources),
    output:
        train_images="results/{dataset}/data/train_images.npy",
        train_labels="results/{dataset}/data/train_labels.npy",
        validation_images="results/{dataset}/data/validation_images.npy",
        validation_labels="results/{dataset}/data/validation_labels.npy",
        test_images="results/{dataset}/data/test_images.npy",
        test_labels="results/{dataset}/data/test_labels.npy",
        classes="results/{dataset}/data/classes.json",
    log:
        "logs/prepare_dataset/{dataset}.log",
    benchmark:
        "benchmarks/prepare_dataset/{dataset}.jsonl"
    wildcard_constraints:
        dataset=one_of(IMAGES),
    localrule: True
    conda:
        "../envs/data.yaml"
    params:
        helpers=helpers("files", "jobs", "sampling", "sources"),
        kind=setting("kind"),
        size=setting("size"),
        classes=setting("classes"),
        sample=setting("sample"),
        trained=setting("trained"),
    script:
        "../scripts/prepare_dataset.py"


rule prepare_labels:
    """Read the labels of vectors."""
    input:
        vectors=lambda wildcards: list(SETTINGS[wildcards.dataset]["source"].values()),
        labels=lambda wildcards: SETTINGS[wildcards.dataset]["labels"] or [],
    output:
        rows="results/{dataset}/data/rows.npy",
        train_labels="results/{dataset}/data/train_labels.npy",
        validation_labels="results/{dataset}/data/validation_labels.npy",
        test_labels="results/{dataset}/data/test_labels.npy",
        classes="results/{dataset}/data/classes.json",
    log:
        "logs/prepare_labels/{dataset}.log",
    benchmark:
        "benchmarks/prepare_labels/{dataset}.jsonl"
    wildcard_constraints:
        dataset=one_of(VECTORS),
    localrule: True
    conda:
        "../envs/data.yaml"
    params:
        helpers=helpers("files", "jobs", "sampling", "sources"),
        classes=setting("classes"),
        sample=setting("sample"),
    script:
        "../scripts/prepare_labels.py"


rule prepare_vectors:
    """Read vectors as the features of a layer."""
    input:
        vectors=lambda wildcards: SETTINGS[wildcards.dataset]["source"][wildcards.layer],
        rows="results/{dataset}/data/rows.npy",
    output:
        features="results/{dataset}/features/{layer}.npy",
        test_features="results/{dataset}/features/{layer}_test.npy",
    log:
        "logs/prepare_vectors/{dataset}/{layer}.log",
    benchmark:
        "benchmarks/prepare_vectors/{dataset}/{layer}.jsonl"
    wildcard_constraints:
        dataset=one_of(VECTORS),
    localrule: True
    conda:
        "../envs/data.yaml"
    params:
        helpers=helpers("arrays", "files", "jobs", "sources"),
    script:
        "../scripts/prepare_vectors.py"
