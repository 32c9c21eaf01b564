"""Configurations: strict, frozen models, filled from a TOML file and then from the command line."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self, TypeVar

import tomlkit
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from tomlkit.exceptions import TOMLKitError

from engine.errors import ConfigError

Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(gt=0)]
Positive = Annotated[float, Field(gt=0)]
Weights = Mapping[str, Annotated[float, Field(ge=0)]]

_LIMITS = {"greater_than": ("gt", "greater than"), "greater_than_equal": ("ge", "at least"), "less_than_equal": ("le", "at most")}
_KINDS = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "string": "a text",
    "mapping": "a table of numbers",
}


class StrictConfig(BaseModel):
    """Unknown keys and values of another type are errors, and nothing changes in place."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    def __init__(self, **values: Any) -> None:
        """Raises ConfigError with a sentence for each setting that is refused."""
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise ConfigError(" ".join(_sentence(type(self), one) for one in error.errors())) from error

    def changed(self, **values: Any) -> Self:
        """The same with other values, checked. Raises ConfigError."""
        return type(self)(**{**self.model_dump(), **values})


class TrainingConfig(StrictConfig):
    """What the trainings of both networks share. ``FREE``: what may change when a run goes on.

    images            length of the training
    batch             pictures a step, over all processes
    rate              peak learning rate
    warm_up           images until that rate is reached
    decay             share of the run, at its end, in which the rate falls
    half_life         of the averaged weights [images]
    weights           term → weight of the objective
    seed              of everything random
    checkpoint_every  images between checkpoints
    report_every      images between points of the curves
    pictures_every    images between grids of pictures
    threads           of torch on a CPU; 0 = its own choice
    workers           processes that load batches for each process that trains; 0 = none, it loads them itself; when not given,
                      one on a CPU and up to eight on a GPU
    """

    FREE: ClassVar[frozenset[str]] = frozenset(
        {"images", "decay", "checkpoint_every", "report_every", "pictures_every", "threads", "workers"}
    )
    TERMS: ClassVar[tuple[str, ...]] = ()

    images: Count
    batch: Count
    rate: Positive
    warm_up: Count
    decay: Share
    half_life: Positive
    weights: Weights
    seed: int = 0
    checkpoint_every: Count
    report_every: Count
    pictures_every: Count
    threads: Annotated[int, Field(ge=0)] = 0
    workers: Annotated[int, Field(ge=0)] | None = None

    def weight(self, term: str) -> float:
        """0 for a term that is not given: it is not computed then."""
        return float(self.weights.get(term, 0.0))

    def fingerprint(self) -> dict[str, Any]:
        """What must not change between two parts of one run."""
        return {name: value for name, value in self.model_dump().items() if name not in self.FREE}

    def model_post_init(self, context: object) -> None:
        """Raises ConfigError for a weight of a term that there is not."""
        unknown = sorted(set(self.weights) - set(self.TERMS))
        if unknown:
            raise ConfigError(f"weights has unknown terms {unknown}; there are {', '.join(self.TERMS)}.")


Config = TypeVar("Config", bound=StrictConfig)


def read_config(kind: type[Config], path: Path | None, changes: Mapping[str, Any]) -> Config:
    """``kind`` with the values of a TOML file (or its defaults), changed by those of ``changes`` that are not None; tables are
    merged with the default term by term.

    ``kind`` must have a default for every field. Raises ConfigError for what is unknown, of another type, or refused by ``kind``.
    """
    given = {**({} if path is None else _read(path)), **{name: value for name, value in changes.items() if value is not None}}
    default = kind()
    for name, value in given.items():
        known = getattr(default, name, None) if name in kind.model_fields else None
        if isinstance(known, Mapping) and isinstance(value, Mapping):
            given[name] = {**known, **value}
    return kind(**given)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomlkit.parse(path.read_text(encoding="utf-8")).unwrap()
    except (OSError, UnicodeDecodeError, TOMLKitError) as error:
        raise ConfigError(f"The settings {path} cannot be read: {error}") from error


def _sentence(kind: type[BaseModel], error: Any) -> str:
    """What is wrong with a setting: what was wanted, and what was got."""
    name, reason, got = ".".join(str(part) for part in error["loc"]), error["type"], error["input"]
    if reason == "extra_forbidden":
        return f"The setting {name!r} is unknown; there are {', '.join(kind.model_fields)}."
    if reason == "missing":
        return f"The setting {name!r} is missing."
    if reason == "literal_error":
        known = error["ctx"]["expected"].replace("'", "").replace(" or ", ", ")
        return f"{name} must be one of {known}; got {got!r}."
    if reason in _LIMITS:
        limit, words = _LIMITS[reason]
        return f"{name} must be {words} {error['ctx'][limit]:g}; got {got!r}."
    wanted = _KINDS.get(reason.partition("_")[0])
    return f"{name} must be {wanted}; got {got!r}." if wanted else f"{name}: {error['msg']}; got {got!r}."
