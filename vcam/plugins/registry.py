"""Finding plug-ins by name, and loading one. Nothing of a plug-in runs before it is loaded."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import pkgutil
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

from engine.errors import ConfigError, InputError
from engine.files import user_path
from vcam.config_file import nearest
from vcam.plugins.interface import HOOKS, PluginSettings

ENTRY_POINTS = "hifihead.plugins"
NAME = re.compile(r"[a-z][a-z0-9_]*")
RESERVED = ("folder", "microphone")  # settings of [plugins] that are no plug-in


@dataclass(frozen=True)
class FoundPlugin:
    """A plug-in that could be loaded.

    place  where it was found, for the user
    load   gives its class; raises InputError
    """

    name: str
    place: str
    load: Callable[[], type[Any]]


def find_plugins(folder: str, config_path: Path | None) -> dict[str, list[FoundPlugin]]:
    """Those that ship, those in the user's ``folder`` ("" = none) and those of installed packages, by name.

    More than one under a name is a mistake, which ``the_plugin`` tells. Raises InputError when there is no such folder.
    """
    found: dict[str, list[FoundPlugin]] = {}
    for plugin in (*in_package(), *in_folder(folder, config_path), *of_packages(entry_points(group=ENTRY_POINTS))):
        found.setdefault(plugin.name, []).append(plugin)
    return dict(sorted(found.items()))


def the_plugin(found: dict[str, list[FoundPlugin]], name: str) -> FoundPlugin:
    """The one of that name; raises ConfigError when there is none or more than one."""
    if name not in found:
        raise ConfigError(f"There is no plug-in {name!r}; {nearest(name, found)}")
    if len(found[name]) > 1:
        places = " and ".join(plugin.place for plugin in found[name])
        raise ConfigError(f"Two plug-ins are called {name!r}: {places}. Rename or remove one.")
    return found[name][0]


def in_package() -> Iterator[FoundPlugin]:
    """The modules of the package ``plugins``."""
    for module in pkgutil.iter_modules(package_folders()):
        if is_plugin_name(module.name):
            place = str(Path(getattr(module.module_finder, "path", "")) / module.name)
            yield FoundPlugin(module.name, place, loader(module.name, place, import_package_module))


def package_folders() -> list[str]:
    """Where the package ``plugins`` lies."""
    return list(importlib.import_module("plugins").__path__)


def in_folder(folder: str, config_path: Path | None) -> Iterator[FoundPlugin]:
    """The files, and folders with __init__.py, of a folder that the settings name."""
    if not folder:
        return
    path = user_path(folder)
    if config_path is not None:
        path = config_path.parent / path
    if not path.is_dir():
        raise InputError(f"The folder of plug-ins {path} does not exist.")
    if any(path.samefile(own) for own in package_folders()):
        return
    for file in sorted([*path.glob("*.py"), *path.glob("*/__init__.py")]):
        whole = file.parent if file.name == "__init__.py" else file
        if is_plugin_name(whole.stem):
            yield FoundPlugin(whole.stem, str(whole), loader(whole.stem, str(whole), file_importer(file)))


def of_packages(points: Iterable[EntryPoint]) -> Iterator[FoundPlugin]:
    """What installed packages announce as ``hifihead.plugins``: NAME = "module" or "module:Class"."""
    for point in points:
        place = f"the package {point.dist.name}" if point.dist else point.value
        yield FoundPlugin(point.name, place, loader(point.name, place, point_importer(point)))


def is_plugin_name(name: str) -> bool:
    """Whether a module's name is a plug-in's: not a test, nor private."""
    return NAME.fullmatch(name) is not None and not name.startswith("test_") and name not in (*RESERVED, "conftest")


def import_package_module(name: str) -> ModuleType:
    return importlib.import_module(f"plugins.{name}")


def file_importer(file: Path) -> Callable[[str], ModuleType]:
    """Runs the file anew each time: it may have been changed."""

    def run(name: str) -> ModuleType:
        full = f"hifihead_plugin_{name}"
        inside = [str(file.parent)] if file.name == "__init__.py" else None
        spec = importlib.util.spec_from_file_location(full, file, submodule_search_locations=inside)
        if spec is None or spec.loader is None:
            raise ImportError(f"{file} is no Python module")
        module = importlib.util.module_from_spec(spec)
        sys.modules[full] = module  # where pydantic and dataclasses look for types
        spec.loader.exec_module(module)
        return module

    return run


def point_importer(point: EntryPoint) -> Callable[[str], Any]:
    return lambda _name: point.load()


def loader(name: str, place: str, run: Callable[[str], Any]) -> Callable[[], type[Any]]:
    """Imports by ``run`` and gives the plug-in's class; every failure becomes an InputError."""

    def load() -> type[Any]:
        try:
            loaded = run(name)
        except SyntaxError as error:
            where = f"line {error.lineno} of {error.filename}"
            raise InputError(f"The plug-in {name!r} is not valid Python: {error.msg}, {where}.") from error
        except ModuleNotFoundError as error:
            raise InputError(missing(name, error)) from error
        except Exception as error:
            raise InputError(f"The plug-in {name!r} cannot be loaded from {place} ({type(error).__name__}: {error}).") from error
        return loaded if isinstance(loaded, type) else class_in(loaded, name, place)

    return load


def missing(name: str, error: ModuleNotFoundError, install: str = "") -> str:
    """The sentence about a package that a plug-in needs; ``install``: what its author says to type."""
    package = (error.name or "").partition(".")[0]
    return (
        f"The plug-in {name!r} needs the package {package!r}, which is not installed. "
        f"Type: {install or f'{sys.executable} -m pip install {package}'}"
    )


def class_in(module: ModuleType, name: str, place: str) -> type[Any]:
    """The one class of a module that has hooks; raises InputError."""
    own = [kind for _, kind in inspect.getmembers(module, inspect.isclass) if kind.__module__ == module.__name__]
    found = [kind for kind in own if not kind.__name__.startswith("_") and hooks_of(kind)]
    if len(found) != 1:
        names = ", ".join(kind.__name__ for kind in found) or "none"
        raise InputError(f"{place} must have one class with any of {', '.join(HOOKS)}; found: {names}.")
    return found[0]


def hooks_of(kind: type[Any]) -> tuple[str, ...]:
    """The hooks that a class has."""
    return tuple(hook for hook in HOOKS if callable(getattr(kind, hook, None)))


def settings_class(kind: type[Any], name: str) -> type[PluginSettings]:
    """A plug-in's ``Settings``; raises InputError when they are something else."""
    found = getattr(kind, "Settings", PluginSettings)
    if not (isinstance(found, type) and issubclass(found, PluginSettings)):
        raise InputError(f"Settings of the plug-in {name!r} must derive from vcam.plugins.PluginSettings.")
    return found
