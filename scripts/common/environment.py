"""A user's own settings of a library, which must not change a result."""

import os
from collections.abc import Sequence


def forget_variables(*prefixes: str, kept: Sequence[str] = ()) -> None:
    """Remove the environment variables with these prefixes, except those `kept`, before a library reads them."""
    for name in list(os.environ):
        if name.startswith(prefixes) and name not in kept:
            del os.environ[name]
