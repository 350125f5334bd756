# Functions for the input and parameters of the rules that read data.

from pathlib import Path


@report_user_errors("configuration: ")
def dataset_files(wildcards):
    """Return the files of a data set of images, by the arguments of its reader."""
    settings, path = SETTINGS[wildcards.dataset], f"datasets.{wildcards.dataset}"
    sources.check_sources(settings, path)
    files = sources.list_sources(settings)
    # The time of a folder says little: folder_digest says whether the files in it have changed.
    return {name: ancient(file) for name, file in files.items()} if settings["kind"] == "folder" else files


@report_user_errors("configuration: ")
def file_of_other(wildcards):
    """Return the file of the data set that a job's data set is like."""
    settings = SETTINGS[wildcards.dataset]
    sources.check_sources(settings, f"datasets.{wildcards.dataset}")
    return f"results/{settings['like']}/{wildcards.file}"


def folder_options(wildcards):
    """Return the settings with which a folder of images is read."""
    settings = SETTINGS[wildcards.dataset]
    options = {"folder": ("size", "white", "skip_damaged"), "vectors": ("size", "white")}.get(settings["kind"], ())
    return {key: settings[key] for key in options}


@functools.cache
def digest_folder(folder):
    """Return a digest of the files in a folder, which a run computes once."""
    return digest_files(folder)


def folder_digest(wildcards):
    """Return a digest of the files in a job's folder of images, which a change in place changes; None without one."""
    settings = SETTINGS[wildcards.dataset]
    return digest_folder(settings["source"]) if settings["kind"] == "folder" else None


def vector_files(*names):
    """Return a function for `unpack`: files of vectors by split and some of the names VECTOR_FILES, such as test_labels."""

    def files(wildcards):
        found = sources.list_vector_sources(SETTINGS[wildcards.dataset], names)
        # The time of a folder says little: image_digests say whether the files in it have changed.
        return {name: ancient(file) if is_folder(file) else file for name, file in found.items()}

    return files


def layer_files(wildcards):
    """Return the files of the vectors of a job's layer, by split, such as test_vectors."""
    epoch = network_epoch(wildcards)
    return sources.list_layer_sources(SETTINGS[wildcards.dataset], wildcards.layer, epoch)


def is_folder(file):
    """Return whether a file of vectors, or a list of them, is a folder."""
    return isinstance(file, str) and Path(file).is_dir()


def image_digests(wildcards):
    """Return digests of the files in the folders that have the images of vectors, by split."""
    paths = {split: files["images"] for split, files in SETTINGS[wildcards.dataset]["source"].items()}
    return {split: digest_folder(path) for split, path in paths.items() if is_folder(path)}


def reader_code(wildcards):
    """Return a digest of the reader of a job's data set."""
    return code(f"common/readers/{SETTINGS[wildcards.dataset]['kind']}.py")
