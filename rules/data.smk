# Needs: a source of MNIST that can be reached (dataset.sources).
# Makes: resources/mnist.pkl.gz, and of it results/{dataset}/data/{split}_images.npy, (n, height, width, channels) float32 in [0, 1),
#        and {split}_labels.npy, (n,) int64, for the splits train, validation and test.


rule download_dataset:
    """Fetch MNIST from the first source that has it, and verify its content."""
    output:
        "resources/mnist.pkl.gz",
    log:
        "logs/download_dataset.log",
    benchmark:
        "benchmarks/download_dataset.jsonl"
    localrule: True
    conda:
        "../envs/data.yaml"
    params:
        helpers=helpers("jobs", "mnist_pickle"),
        sources=config["dataset"]["sources"],
        sha256=config["dataset"]["sha256"],
        validation_size=config["dataset"]["validation_size"],
    script:
        "../scripts/download_dataset.py"


rule prepare_dataset:
    """Split the data set into arrays of images and labels."""
    input:
        dataset="resources/mnist.pkl.gz",
    output:
        train_images="results/{dataset}/data/train_images.npy",
        train_labels="results/{dataset}/data/train_labels.npy",
        validation_images="results/{dataset}/data/validation_images.npy",
        validation_labels="results/{dataset}/data/validation_labels.npy",
        test_images="results/{dataset}/data/test_images.npy",
        test_labels="results/{dataset}/data/test_labels.npy",
    log:
        "logs/prepare_dataset/{dataset}.log",
    benchmark:
        "benchmarks/prepare_dataset/{dataset}.jsonl"
    localrule: True
    conda:
        "../envs/data.yaml"
    params:
        helpers=helpers("files", "jobs", "mnist_pickle"),
        train_size=config["dataset"]["train_size"],
    script:
        "../scripts/prepare_dataset.py"
