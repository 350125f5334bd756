"""The check of a configuration against its schema, with messages for the user."""

import datetime
import functools
import math
from collections.abc import Iterable, Mapping
from typing import Any

import jsonschema
import yaml

from common.errors import UserError, suggest


def _is_finite_number(_: object, value: object) -> bool:
    """Return whether a value is a number, without YAML's .inf and .nan."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


TYPES = jsonschema.Draft202012Validator.TYPE_CHECKER.redefine("number", _is_finite_number)
Validator = jsonschema.validators.extend(jsonschema.Draft202012Validator, type_checker=TYPES)


def list_alternatives(part: Any, schema: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return a part of a schema, or the one that its $ref names, and its alternatives (oneOf)."""
    if not isinstance(part, Mapping):  # a truth value, for any value or none
        return [{}]
    if "$ref" in part:
        names = part["$ref"].split("/")[1:]
        return list_alternatives(functools.reduce(lambda found, name: found[name], names, schema), schema)
    return [part, *(found for one in part.get("oneOf", []) for found in list_alternatives(one, schema))]


def convert_scalars(value: Any, schema: Mapping[str, Any], part: Any = None) -> Any:
    """Return a configuration with integers as text where its schema has strings; YAML reads a name such as 7 as one.

    The values in the braces of Snakemake's --config are all text. Where the schema has no strings, they become what
    YAML reads in them. `part` is the part of the schema that is for this value. No other type is converted, since the
    text that YAML read is not known: 1.50 is the number 1.5, and no is a truth value.
    """
    parts = list_alternatives(schema if part is None else part, schema)
    if isinstance(value, Mapping):
        properties = {name: one for part in parts for name, one in part.get("properties", {}).items()}
        others = parts[0].get("additionalProperties", {})
        return {
            str(key) if is_integer(key) and str(key) not in value else key: convert_scalars(
                item, schema, properties.get(key, others)
            )
            for key, item in value.items()
        }
    if isinstance(value, list):
        items = next((part["items"] for part in parts if "items" in part), {})
        return [convert_scalars(item, schema, items) for item in value]
    if accepts(parts, "string"):
        return str(value) if is_integer(value) else value
    scalar = accepts(parts, "integer", "number", "boolean", "null")
    return read_scalar(value) if isinstance(value, str) and scalar else value


def read_scalar(text: str) -> Any:
    """Return the number, truth value or null that YAML reads in a text, or the text itself."""
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        return text
    return value if isinstance(value, bool | int | float | None) else text


def accepts(parts: Iterable[Mapping[str, Any]], *types: str) -> bool:
    """Return whether any of the alternatives in a schema is for one of these types."""
    return any(name in (part.get("type"), *part.get("type", "")) for part in parts for name in types)


def is_integer(value: Any) -> bool:
    """Return whether a value is an integer, and no truth value."""
    return isinstance(value, int) and not isinstance(value, bool)


def describe_value(value: Any) -> str:
    """Return what YAML read instead of text: "the number 1.5", "the truth value false", "null" or a date."""
    if isinstance(value, bool):
        return f"the truth value {str(value).lower()}"
    if isinstance(value, datetime.date):
        return f"the date {value}"
    return "null" if value is None else f"the number {value}"


def describe_number(text: str) -> str | None:
    """Return a number that is text in YAML, such as 1e-3, in a form that is a number there; None for other text."""
    try:
        number = float(text)
    except ValueError:
        return None
    return f"{int(number) if number.is_integer() else number}" if math.isfinite(number) else None


def describe_violation(error: jsonschema.ValidationError) -> str:
    """Return what is wrong, with the path of the key and the nearest valid name."""
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.absolute_path).lstrip(".")
    value, expected = error.instance, error.validator_value
    if error.validator == "additionalProperties":
        unknown = next(key for key in value if key not in error.schema["properties"])
        return f"{path}.{unknown}: there is no such key. {suggest(unknown, error.schema['properties'])}".lstrip(".")
    if accepts([error.schema, *error.schema.get("oneOf", [])], "string") and isinstance(
        value, bool | int | float | datetime.date | None
    ):
        return f"{path}: YAML reads this as {describe_value(value)}. Put it in quotes.".lstrip(": ")
    if error.validator == "type" and isinstance(value, str) and expected in ("number", "integer"):
        number = describe_number(value)
        if number:
            return f"{path}: YAML reads {value} as text. Write {number}."
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
