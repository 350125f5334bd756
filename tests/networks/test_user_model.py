"""Networks that a user's Python file builds."""

import sys

import pytest

from common.errors import UserError
from common.networks.checkpoint import Checkpoint
from common.networks.graph import model_up_to
from common.networks.keras_setup import keras
from common.networks.training import train_network
from common.networks.user_model import build_user_model
from common.workflow.code import list_imports

FILE = """import keras
def build_network(image_shape, classes):
    return keras.Sequential([{input}keras.layers.Flatten(name="flat"), keras.layers.Dense({units}{activation}){more}])
"""
GOOD = {"input": "keras.Input(image_shape), ", "units": "classes", "activation": ', "softmax"', "more": ""}


def write_model_file(folder, **changes: str):
    """Return the path of a file that builds a network, with parts of it changed."""
    path = folder / "own.py"
    path.write_text(FILE.format(**(GOOD | changes)))
    return path


@pytest.mark.parametrize("given", [GOOD["input"], ""], ids=["with input", "without input"])
def test_network_of_a_file_is_built_for_the_images(digits, tmp_path, given):
    network = build_user_model(write_model_file(tmp_path, input=given), digits[0], 10)
    assert (network.input_shape, network.output_shape) == ((None, 8, 8, 1), (None, 10))
    assert model_up_to(network, "flat").output_shape == (None, 64)


@pytest.mark.usefixtures("eagerly")
def test_network_of_a_file_is_trained_and_resumed(digits, tmp_path, logged):
    images, labels = digits[0][:400], digits[1][:400]
    for _ in range(2):
        keras.utils.clear_session()  # as in a new process, in which layers without a name get the same names again
        keras.utils.set_random_seed(3)
        network = build_user_model(write_model_file(tmp_path, input=""), images, 10)
        splits = (images[:300], labels[:300]), (images[300:], labels[300:])
        schedule, checkpoint = [{"epochs": 1, "batch_size": 100}], Checkpoint(tmp_path / "checkpoint")
        _, history = train_network(network, *splits, 0.01, schedule, 3, checkpoint)
    assert logged()[-1] == "resumed after epoch 1" and len(history) == 1


REGISTERED = """import keras
@keras.saving.register_keras_serializable()
class Mine(keras.layers.Layer):
    def call(self, tensor): return tensor
""" + FILE.format(**GOOD | {"more": ", Mine()"})
SUBCLASS = """import keras
class Net(keras.Model):
    def call(self, images): return keras.ops.softmax(keras.ops.reshape(images, (-1, 64))[:, :10])
def build_network(image_shape, classes): return Net()
"""
OWN_CODE = r"it needs its own code to be loaded\. Build it from Keras' own layers"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import", "SyntaxError"),
        ("import a_module_that_is_not_here", "ModuleNotFoundError"),
        ("build = 1", r"it has no function build_network\(image_shape, classes\)"),
        ("build_network = 1", r"it has no function build_network\(image_shape, classes\)"),
        ("def build_network(image_shape, classes): return 3", r"build_network returned int, not a keras\.Model"),
        ("def build_network(image_shape): return 3", "TypeError"),
        (FILE.format(**GOOD | {"activation": ""}), "its outputs are not probabilities. End it with a softmax"),
        (FILE.format(**GOOD | {"units": "3"}), r"its output is \(None, 3\), not \(None, 10\)"),
        (
            FILE.format(**GOOD | {"input": "keras.Input((9, 8, 1)), "}),
            r"the network takes \(None, 9, 8, 1\), the images are \(None, 8, 8, 1\)",
        ),
        (FILE.format(**GOOD | {"more": ", keras.layers.Lambda(lambda tensor: tensor)"}), OWN_CODE),
        (REGISTERED, OWN_CODE),
        (SUBCLASS, r"is a subclass \(Net\)"),
    ],
    ids=[
        "no Python",
        "missing module",
        "no function",
        "no callable",
        "no model",
        "one argument",
        "no softmax",
        "other classes",
        "other images",
        "lambda",
        "own layer",
        "subclass",
    ],
)
def test_file_that_builds_no_usable_network_is_refused(digits, tmp_path, text, message):
    path = tmp_path / "own.py"
    path.write_text(text)
    registered = dict(keras.saving.get_custom_objects())
    with pytest.raises(UserError, match=rf"^network\.model: .*own\.py: .*{message}"):
        build_user_model(path, digits[0], 10)
    assert keras.saving.get_custom_objects() == registered


def write_package(folder) -> None:
    """Write a file that builds a network with files beside it, one of which has the name of a package of ours."""
    (folder / "parts").mkdir(parents=True)
    (folder / "parts/__init__.py").write_text("")
    (folder / "parts/ends.py").write_text("from common import ACTIVATION")
    (folder / "common.py").write_text("ACTIVATION = 'softmax'")
    (folder / "own.py").write_text(
        "import keras\n"
        "def build_network(image_shape, classes):\n"
        "    from parts import ends\n"
        "    layers = [keras.layers.Flatten(), keras.layers.Dense(classes, ends.ACTIVATION, name='last')]\n"
        "    return keras.Sequential([keras.Input(image_shape), *layers])\n"
    )


def test_file_imports_files_beside_it_from_any_folder(digits, tmp_path, monkeypatch):
    folder, elsewhere = tmp_path / "models", tmp_path / "elsewhere"
    elsewhere.mkdir()
    write_package(folder)
    modules, path, files = dict(sys.modules), list(sys.path), sorted(folder.rglob("*"))
    for place, name in ((elsewhere, folder / "own.py"), (tmp_path, "models/own.py"), (folder, "own.py")):
        monkeypatch.chdir(place)
        assert build_user_model(name, digits[0], 10).get_layer("last").activation is keras.activations.softmax
    assert sys.path == path and sorted(folder.rglob("*")) == files, "nothing is written there"
    assert sys.modules["common"] is modules["common"] and "parts" not in sys.modules


def test_files_that_a_file_imports_from_its_folder_are_found(tmp_path):
    folder = tmp_path / "models"
    write_package(folder)
    (folder / "unused.py").write_text("")
    names = ["common.py", "own.py", "parts/__init__.py", "parts/ends.py"]
    assert list_imports(folder / "own.py") == {name: folder / name for name in names}
    (folder / "wrong.py").write_text("import")
    assert list_imports(folder / "wrong.py") == {}, "the job says what is wrong"
    assert list_imports(folder / "missing.py") == {}
