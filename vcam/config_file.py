"""Reading ``config.toml``: from text to ``Settings``, or to a sentence that names the key, what was wanted and what was got."""

from __future__ import annotations

import codecs
import difflib
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import tomlkit
from pydantic import BaseModel, SecretStr, ValidationError
from pydantic_core import ErrorDetails
from tomlkit.exceptions import TOMLKitError

from engine.errors import ConfigError
from engine.files import reason
from vcam.config import Settings, changed_keys

# "C:\Users" is a mistake in TOML, and "C:\temp\new.jpg" is none, but has a tab and a new line in it
ESCAPED = re.compile(r'=\s*"[^"\n]*\\')
CONTROL = r"[\t\n\r\f\b\x1b]"
MANGLED = re.compile(rf"(?s:.*){CONTROL}" if os.name == "nt" else rf"(?:file:)?[A-Za-z]:[^/]*{CONTROL}")
BACKSLASHES = (
    "In double quotes a backslash begins a special character: put a path with backslashes in single quotes, "
    "'C:\\Users\\me\\new.jpg', or write / instead."
)

CURES = (
    (ESCAPED, BACKSLASHES),
    (re.compile(r"=\s*[“”„‟‘’‚«»]"), "Word processors write quotes that are not: use \" or '."),
    (
        re.compile(r"(?m)^\s*[\w.]+\s*=\s*(?!true\b|false\b|inf\b|nan\b)[^\W\d]|=\s*[~/\\]"),
        "Text stands in quotes: photo = 'me.jpg'.",
    ),
)

REPLACED = {
    "drive.expression_gain": "brows_gain, eyes_gain and mouth_gain",
    "drive.head_gain": "pitch_gain, yaw_gain, roll_gain and shift_gain",
}

KINDS = {
    "string_type": "text in quotes",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "model_type": "a [section]",
    "model_attributes_type": "a [section]",
    "dict_type": "a [section]",
    "list_type": "a list in brackets",
    "string_too_short": "text that is not empty",
}


def read_settings(path: Path) -> Settings:
    """The settings of a file; what it leaves out has its default. Raises ConfigError."""
    try:
        data = path.read_bytes()
        text = data.decode("utf-16" if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"The settings file {path} is not text in UTF-8.") from error
    except (OSError, ValueError) as error:
        raise ConfigError(f"The settings file {path} cannot be read: {reason(error)}.") from error
    return parse_settings(text.replace("\r\n", "\n").replace("\r", "\n"), str(path))


def parse_settings(text: str, name: str) -> Settings:
    """``read_settings`` for text; ``name`` stands for the file in messages."""
    try:
        values: dict[str, Any] = tomlkit.parse(text).unwrap()
    except TOMLKitError as error:
        cure = next((f" {sentence}" for mistake, sentence in CURES if mistake.search(text)), "")
        raise ConfigError(f"{name} is not valid TOML: {str(error).rstrip('.')}.{cure}") from error
    settings = check_settings(values, name)
    refuse_mangled(settings.model_dump(), name)
    return settings


def refuse_mangled(values: Mapping[str, Any], name: str, section: str = "") -> None:
    """Raises ConfigError for a path whose backslashes were taken for special characters."""
    for key, value in values.items():
        if isinstance(value, Mapping):
            refuse_mangled(value, name, f"{section}{key}.")
        elif isinstance(value, str) and MANGLED.match(value):
            raise ConfigError(f"{name}: {section}{key} is not what was meant, {value!r}. {BACKSLASHES}")


def check_settings(values: dict[str, Any], name: str) -> Settings:
    """Nested dictionaries → Settings; raises ConfigError with one sentence for the first mistake."""
    return check(Settings, values, name)


M = TypeVar("M", bound=BaseModel)


def check(model: type[M], values: Mapping[str, Any], name: str, section: str = "") -> M:
    """``check_settings`` for the model of one ``section``."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        mistakes = error.errors()
        more = f" ({len(mistakes) - 1} more mistakes follow.)" if len(mistakes) > 1 else ""
        raise ConfigError(f"{name}: {sentence(model, mistakes[0], section)}{more}") from error


def sentence(model: type[BaseModel], mistake: ErrorDetails, section: str) -> str:
    """One pydantic error as: key, wanted, got."""
    key = ".".join([*([section] if section else []), *(str(part) for part in mistake["loc"])])
    if mistake["type"] == "extra_forbidden":
        known = [f"{section}.{name}" for name in model.model_fields] if section else known_keys()
        return f"{key} is not a setting; {nearest(key, known)}"
    got = "something else" if is_secret(model, mistake) else repr(mistake["input"])
    return f"{key} must be {wanted(model, mistake)}, got {got}."


def is_secret(model: type[BaseModel], mistake: ErrorDetails) -> bool:
    """Whether what was got must not be shown: the setting is a password."""
    field = model.model_fields.get(str(mistake["loc"][0]))
    return field is not None and field.annotation is SecretStr


def nearest(name: str, known: Iterable[str]) -> str:
    """What might have been meant, else all there is."""
    names = list(known)
    if name in REPLACED:
        return f"in its place there are {REPLACED[name]}."
    near = difflib.get_close_matches(name, names, 1, 0.6)
    return f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}."


def known_keys() -> list[str]:
    """Every section and every setting, as section.key."""
    sections = {name: field.annotation for name, field in Settings.model_fields.items()}
    keys = [f"{name}.{key}" for name, kind in sections.items() for key in fields_of(kind)]
    return keys + list(sections)


def fields_of(kind: object) -> list[str]:
    return list(kind.model_fields) if isinstance(kind, type) and issubclass(kind, BaseModel) else []


def wanted(model: type[BaseModel], mistake: ErrorDetails) -> str:
    """What would have been right, in words."""
    kind, context = mistake["type"], mistake.get("ctx", {})
    if kind in ("greater_than_equal", "less_than_equal"):
        return "a number from {} to {}".format(*limits(model, mistake))
    sentences = KINDS | {
        "multiple_of": f"a multiple of {context.get('multiple_of')}",
        "literal_error": str(context.get("expected")),
        "string_too_long": f"at most {context.get('max_length')} characters",
    }
    return sentences.get(kind, mistake["msg"][:1].lower() + mistake["msg"][1:])


def limits(model: type[BaseModel], mistake: ErrorDetails) -> tuple[Any, Any]:
    """The smallest and largest value of the setting that a mistake is about."""
    kind: Any = model
    *sections, key = mistake["loc"]
    for section in sections:
        kind = kind.model_fields[section].annotation
    marks = kind.model_fields[key].metadata
    return next(mark.ge for mark in marks if hasattr(mark, "ge")), next(mark.le for mark in marks if hasattr(mark, "le"))


Changes = Mapping[str, Mapping[str, Any]]
"""{section: {key: value}}"""


def with_changes(settings: Settings, changes: Changes, name: str) -> Settings:
    """The settings with some replaced, checked like a file; ``name`` stands for where they come from. Raises ConfigError."""
    values = settings.model_dump()
    for section, keys in changes.items():
        values.setdefault(section, {}).update(keys)
    return check_settings(values, name)


def differences(before: Settings, after: Settings) -> Changes:
    """What makes ``after`` of ``before``; a plug-in's section that is gone becomes an empty one."""
    values, changes = after.model_dump(), dict[str, dict[str, Any]]()
    for changed in changed_keys(before, after):
        section, key = changed.split(".")
        changes.setdefault(section, {})[key] = values[section].get(key, {})
    return changes
