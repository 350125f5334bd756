"""Names that the configuration, the readers and the figures share."""

SPLITS = ("train", "validation", "test")
SPLIT_NAMES = {"train": "training", "validation": "validation", "test": "test"}  # in figures and tables
SUFFIXES = ("", "_validation", "_test")  # of the files of each split
VECTOR_FILES = ("vectors", "labels", "ids", "text", "images", "predictions", "checkpoints")  # of a split of vectors
IDX_FILES = {
    "train_images": "train-images-idx3-ubyte",
    "train_labels": "train-labels-idx1-ubyte",
    "test_images": "t10k-images-idx3-ubyte",
    "test_labels": "t10k-labels-idx1-ubyte",
}
