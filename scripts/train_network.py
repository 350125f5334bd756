"""Train the CNN of the notebook, in Keras on TensorFlow."""

import hashlib
import importlib.util
import json
import logging
import secrets
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from common.arrays import damage_named, load_classes, load_rows
from common.backend import keras, tf, use_devices
from common.files import whole
from common.jobs import UserError, job
from common.networks import inputs_of, what_is_wrong, why_no_classes
from common.provenance import provenance

layers = keras.layers
log = logging.getLogger("workflow")

MEASURES = ("loss", "accuracy", "val_loss", "val_accuracy")


def build_network(
    image_shape: Sequence[int], classes: int, filters: Sequence[int], kernel: int, units: Sequence[int]
) -> keras.Model:
    """A network as the notebook's: images (n, height, width, channels) -> class probabilities (n, classes).

    A convolution for each number of `filters`, each `kernel` x `kernel`, then a dense layer for each number of `units`.
    The outputs of its layers named conv1, conv2 ..., and dense3 ..., numbered on, are the features of those names.
    Batch normalization is Lasagne's: running averages with factor 0.1, epsilon 1e-4. Raises UserError if the images
    are too small.
    """
    smallest = 2 ** len(filters)
    if min(image_shape[:2]) < smallest:
        height, width = image_shape[:2]
        raise UserError(
            f"network.filters: {len(filters)} convolutions, each of which halves the images, need images of "
            f"{smallest} x {smallest} pixels or more; these have {height} x {width}"
        )

    def normalized(tensor: keras.KerasTensor, name: str) -> keras.KerasTensor:
        return layers.BatchNormalization(momentum=0.9, epsilon=1e-4, name=f"{name}_norm")(tensor)

    tensor = images = keras.Input(tuple(image_shape), name="pixel")
    for number, count in enumerate(filters, start=1):
        name, bias = f"conv{number}", keras.initializers.Constant(0.05)
        convolution = layers.Conv2D(count, kernel, padding="same", bias_initializer=bias, name=f"{name}_filters")
        tensor = layers.ReLU(name=f"{name}_relu")(normalized(convolution(tensor), name))
        tensor = layers.MaxPooling2D(2, name=name)(tensor)
    tensor = layers.Flatten(name="flat")(tensor)
    for number, count in enumerate(units, start=len(filters) + 1):
        name = f"dense{number}"
        tensor = layers.Dense(count, name=f"{name}_weights")(tensor)
        tensor = layers.ReLU(name=name)(normalized(tensor, name))
    return keras.Model(images, layers.Dense(classes, activation="softmax", name="softmax")(tensor))


def build_own(path: str | Path, images: np.ndarray, classes: int) -> keras.Model:
    """What the function build_network(image_shape, classes) of a Python file makes, checked with some of the `images`.

    Raises UserError, which names the file, if that is no model from such images to a probability for each class, or
    none whose layers can be looked at, or that can be loaded without the file.
    """
    own_objects, known_objects = keras.saving.get_custom_objects(), dict(keras.saving.get_custom_objects())
    shape = images.shape[1:]
    try:
        spec = importlib.util.spec_from_file_location("own_network", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        network = getattr(module, "build_network", None)
        if callable(network):
            network = network(shape, classes)
        else:
            raise UserError("it has no function build_network(image_shape, classes)")
        if not isinstance(network, keras.Model):
            raise UserError(f"build_network returned {type(network).__name__}, not a keras.Model")
        if isinstance(network, keras.Sequential) and not network.built:
            network.build((None, *shape))
        inputs_of(network)
        if network.input_shape != (None, *shape):
            raise UserError(f"the network takes {network.input_shape}, the images are {(None, *shape)}")
        why_not = why_no_classes(network, images, classes)
        if why_not:
            raise UserError(why_not)
        own_objects.clear()  # of what the file has made known to Keras, the other scripts know nothing
        own_objects.update(known_objects)
        keras.models.model_from_json(network.to_json())
    except MemoryError:
        raise
    except UserError as error:
        raise UserError(f"network.model: {path}: {error}") from error
    except Exception as error:  # code from outside can fail in any way
        raise UserError(f"network.model: {path}: {what_is_wrong(error)}") from error
    return network


def untuned(dataset: tf.data.Dataset) -> tf.data.Dataset:
    """A dataset without tf.data's autotuning, which has nothing to tune here, and is waited for where a dataset ends.

    It sleeps for 10 ms, 20 ms and so on, which are 10.2 s after ten times, and is not always woken: an epoch then ends
    10.2 s or 20.5 s after it began, however short it was (TensorFlow 2.19).
    """
    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.with_options(options)


def batches(images: tf.Tensor, labels: tf.Tensor, size: int, order: np.ndarray) -> tf.data.Dataset:
    """Whole batches of `size` rows, in that order of rows; an incomplete last batch is dropped.

    Raises UserError if the rows do not fill one batch.
    """
    if size > len(order):
        raise UserError(f"network.schedule: {len(order)} training images do not fill a batch of {size}")
    rows = tf.data.Dataset.from_tensor_slices(order).batch(size, drop_remainder=True)
    return untuned(rows.map(lambda chosen: (tf.gather(images, chosen), tf.gather(labels, chosen))).prefetch(2))


class Checkpoint:
    """The network and its history after the last finished epoch, in a folder, to resume the same work from.

    The last process that opens it owns it. One before, that lives on though its Snakemake was killed, ends at its next
    epoch, and touches nothing.
    """

    def __init__(self, folder: Path) -> None:
        """Open the one in `folder`, from now on as its owner."""
        self.folder = folder
        self.owner = secrets.token_hex(4)
        folder.mkdir(exist_ok=True)
        (folder / "owner").write_text(self.owner)

    def check_owner(self) -> None:
        """Raises UserError if another process has opened the checkpoint since."""
        owner = self.folder / "owner"
        if not owner.exists() or owner.read_text() != self.owner:
            raise UserError(f"{self.folder}: another run has taken this training over, and goes on with it")

    def load(self, *work: object) -> tuple[keras.Model, list[dict[str, float]]] | None:
        """The network and its history, if there are some of this work (all that they depend on), and undamaged."""
        digest = hashlib.sha256()
        for part in work:
            digest.update(np.ascontiguousarray(part).data if isinstance(part, np.ndarray) else repr(part).encode())
        self.work = digest.hexdigest()
        path = self.folder / "history.json"
        if not path.exists():
            return None
        try:
            with damage_named(path):
                saved = json.loads(path.read_text())
                if saved["work"] != self.work:
                    return None
                history = saved["history"]
                return keras.models.load_model(self.folder / f"{len(history)}.keras"), history
        except UserError:
            log.info("what an earlier run has left in %s is damaged: from the start", self.folder)
            return None

    def save(self, network: keras.Model, history: list[dict[str, float]]) -> None:
        """Save both. The history is what makes it count: it is written last, and then the network before is deleted.

        Raises UserError if another process owns the checkpoint by now.
        """
        self.check_owner()
        path = self.folder / f"{len(history)}.keras"
        with whole(path) as part:
            network.save(part)
        with whole(self.folder / "history.json") as part:
            part.write_text(json.dumps({"work": self.work, "history": history}))
        for other in set(self.folder.glob("*.keras")) - {path}:
            other.unlink()

    def delete(self) -> None:
        """Delete the folder. Raises UserError if another process owns it by now."""
        self.check_owner()
        shutil.rmtree(self.folder)


def train_network(
    network: keras.Model,
    train: tuple[np.ndarray, np.ndarray],
    validation: tuple[np.ndarray, np.ndarray],
    learning_rate: float,
    schedule: Sequence[Mapping[str, int]],
    seed: int,
    checkpoint: Checkpoint,
) -> tuple[keras.Model, pd.DataFrame]:
    """Train `network` with Adam on cross-entropy; returns it, and its history, a row an epoch.

    `train` and `validation` are images (n, height, width, channels) float32 and labels (n,) integers; `schedule` lists
    phases of so many `epochs` with batches of `batch_size`. The history's columns: epoch, batch_size, loss, accuracy
    (running means over the epoch), val_loss, val_accuracy (after it). Each finished epoch is saved in the checkpoint;
    a run that was interrupted is resumed from there, and ends as it would have: the order of the rows in an
    epoch depends only on the seed and on its number.
    """
    work = (network.to_json(), learning_rate, schedule, seed, *train, *validation, keras.__version__, tf.__version__)
    network.compile(keras.optimizers.Adam(learning_rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    network, history = checkpoint.load(*work) or (network, [])
    if history:
        log.info("resumed after epoch %d", len(history))

    images, labels = map(tf.constant, train)
    to_validate = untuned(tf.data.Dataset.from_tensor_slices(validation).batch(1000))
    sizes = [phase["batch_size"] for phase in schedule for _ in range(phase["epochs"])]
    for epoch, size in list(enumerate(sizes, start=1))[len(history) :]:
        order = np.random.default_rng([seed, epoch]).permutation(len(labels))
        shuffled = batches(images, labels, size, order)
        result = network.fit(shuffled, validation_data=to_validate, shuffle=False, verbose=0)
        values = {measure: result.history[measure][0] for measure in MEASURES}
        history.append({"epoch": epoch, "batch_size": size, **values})
        checkpoint.save(network, history)  # before it is said: an epoch in the log is never trained again
        log.info("epoch %d: %s", epoch, ", ".join(f"{measure} {value:.4f}" for measure, value in values.items()))
    return network, pd.DataFrame(history)


if __name__ == "__main__":
    with job(snakemake.log[0], "train_network"):
        params = snakemake.params
        use_devices(snakemake.threads, gpu=snakemake.resources.gpu > 0)
        log.info("on %s", "a GPU" if tf.config.get_visible_devices("GPU") else f"{snakemake.threads} threads")
        classes = load_classes(snakemake.input.classes)
        if not classes:
            raise UserError(
                "a network is trained on labels, which this data set has not: give them, or as network.model a "
                "trained one, which is used as it is"
            )
        train, validation = (
            load_rows(snakemake.input[f"{split}_images"], snakemake.input[f"{split}_labels"])
            for split in ("train", "validation")
        )
        keras.utils.set_random_seed(params.seed)
        if snakemake.input.model:
            network = build_own(snakemake.input.model, train[0], len(classes))
        else:
            shape = train[0].shape[1:]
            network = build_network(shape, len(classes), params.filters, params.kernel, params.units)
        output = Path(snakemake.output.network)
        checkpoint = Checkpoint(output.with_name(f".checkpoint-{output.stem}"))
        network, history = train_network(
            network, train, validation, params.learning_rate, params.schedule, params.seed, checkpoint
        )
        with whole(snakemake.output.network) as part:
            network.save(part)
        with whole(snakemake.output.history) as part:
            history.to_csv(part, index=False)
        facts = {
            "parameters": network.count_params(),
            "seed": params.seed,
            "learning_rate": params.learning_rate,
            "schedule": params.schedule,
            "images": len(train[0]),
            "provenance": provenance(snakemake.wildcards.dataset, "tensorflow", "keras", "numpy"),
        }
        with whole(snakemake.output.facts) as part:
            part.write_text(json.dumps(facts, indent=2) + "\n")
        checkpoint.delete()
