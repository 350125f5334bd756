# Needs: what datasets says: files of one's own, or a source from which one can be fetched (downloads).
# Makes: resources/{download}.pkl.gz, and for each data set results/{dataset}/data/{split}_images.npy,
#        (n, height, width, channels) float32 in [0, 1], {split}_labels.npy, (n,) int64, for the splits train, validation and
#        test, and classes.json, the names of the classes that the labels number;
#        of vectors, which have no images and one split, results/{dataset}/features/{layer}.npy, (n, d) float32, and
#        data/rows.npy, the rows of their files that are mapped.


def idx_files(place):
    """The four IDX files in a folder, or of those whose names begin so, and the names of the classes, as EMNIST has them."""
    folder, prefix = (place, "") if os.path.isdir(place) else os.path.split(place)
    names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    found = {}
    for name in names:
        match = re.fullmatch(r"(.*?)(train|t10k|test)-(images|labels)[-.]idx\d-ubyte(\.gz)?", name)
        if match and name.startswith(prefix):
            part = f"{'train' if match[2] == 'train' else 'test'}_{match[3]}"
            found.setdefault(match[1], {}).setdefault(part, os.path.join(folder, name))
    if len(found) > 1:
        refuse(f"{place}: there are several data sets; give idx: {place}/ with one of {', '.join(found)}")
    parts = next(iter(found.values()), {})
    kinds = {"images": "idx3", "labels": "idx1"}
    files = [
        parts.get(f"{split}_{kind}", f"{place}{'' if prefix else '/'}{file}-{kind}-{kinds[kind]}-ubyte.gz")
        for split, file in (("train", "train"), ("test", "t10k"))
        for kind in kinds
    ]
    return files + [
        os.path.join(folder, name) for name in names if prefix and name == f"{prefix.rstrip('-')}-mapping.txt"
    ]


def sources(wildcards):
    """The files and folders that a data set is read from."""
    kind, source = (SETTINGS[wildcards.dataset][key] for key in ("kind", "source"))
    if kind == "digits":
        return []
    if kind == "idx":
        return idx_files(source)
    if kind == "npy":
        return list(source.values())
    if kind == "folder":  # with the folders in it, whose times tell of files that come and go
        inside = sorted(str(path) for level in ("*/", "*/*/") for path in Path(source).glob(level))
        return [source, *inside]
    return [source]


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
        source=sources,
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
        parts=lambda wildcards: (
            list(SETTINGS[wildcards.dataset]["source"]) if setting("kind")(wildcards) == "npy" else []
        ),
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
