"""Built-in architectures, one module each; `network.model` names the module.

To add one, add a module with three functions like those of notebook.py. Where the configuration is read, there is no
Keras, so a module imports it only in `build`.
"""

import importlib
from types import ModuleType


def load_architecture(name: str) -> ModuleType:
    """Return the module of a built-in architecture; raises ModuleNotFoundError if there is none of this name."""
    return importlib.import_module(f"{__name__}.{name}")
