"""The check of a configuration against its schema, with messages for the user."""

import math
from collections.abc import Mapping
from typing import Any

import jsonschema

from common.errors import UserError, suggest


def _is_finite_number(_: object, value: object) -> bool:
    """Return whether a value is a number, without YAML's .inf and .nan."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


TYPES = jsonschema.Draft202012Validator.TYPE_CHECKER.redefine("number", _is_finite_number)
Validator = jsonschema.validators.extend(jsonschema.Draft202012Validator, type_checker=TYPES)


def describe_violation(error: jsonschema.ValidationError) -> str:
    """Return what is wrong, with the path of the key and the nearest valid name."""
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.absolute_path).lstrip(".")
    value, expected = error.instance, error.validator_value
    if error.validator == "additionalProperties":
        unknown = next(key for key in value if key not in error.schema["properties"])
        return f"{path}.{unknown}: there is no such key. {suggest(unknown, error.schema['properties'])}".lstrip(".")
    if error.validator == "enum":
        return f"{path}: {value!r} is not allowed. {suggest(value, expected)}"
    if error.validator in ("oneOf", "pattern"):
        return f"{path}: {value!r} is not valid. Expected: {error.schema['description']}"
    if error.validator == "not":
        return f"{path}.{expected['required'][0]}: this key can only be set globally."
    return f"{path}: {error.message}".lstrip(": ")


def check_schema(config: Mapping[str, Any], schema: Mapping[str, Any], prefix: str = "") -> None:
    """Raise UserError if the configuration violates the schema; `prefix` stands before the path of the key."""
    # A misspelled key comes first, since it may be why another is missing.
    errors = Validator(schema).iter_errors(config)
    error = min(errors, key=lambda error: error.validator != "additionalProperties", default=None)
    if error:
        raise UserError(f"{prefix}{describe_violation(error)}")
