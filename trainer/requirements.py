"""The packages of the extra ``train``: looked for before a command needs them, so that what is missing is one sentence."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from importlib.util import find_spec
from pathlib import Path
from typing import ParamSpec, TypeVar

from engine.errors import HifiHeadError

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

# Module → what it is called in a sentence; pyproject.toml pins the versions.
PACKAGES = {
    "torch": "PyTorch",
    "torchmetrics": "torchmetrics",
    "onnx": "onnx",
    "onnxscript": "onnxscript",
    "safetensors": "safetensors",
    "scipy": "scipy",
    "tensorboard": "tensorboard",
    "matplotlib": "matplotlib",
}
ROOT = Path(__file__).resolve().parent.parent


class MissingPackagesError(HifiHeadError):
    """A command needs packages that are not installed."""


def require_packages() -> None:
    """Raises MissingPackagesError that names what is missing and the command that installs it."""
    missing = [name for module, name in PACKAGES.items() if not _is_installed(module)]
    if missing:
        raise MissingPackagesError(
            f"Training needs {_listed(missing)}, which {'is' if len(missing) == 1 else 'are'} not installed: "
            f"run `{install_command()}`."
        )


def needs_packages(command: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Decorates a command that cannot work without the packages: it asks for them before it begins."""

    @wraps(command)
    def checked(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        require_packages()
        return command(*args, **kwargs)

    return checked


def install_command() -> str:
    """What installs the packages into the Python that runs: from the checkout, or as the installed program's extra."""
    if (ROOT / "pyproject.toml").exists():
        return f"{sys.executable} -m pip install --editable '{ROOT}[train]'"
    return f"{sys.executable} -m pip install 'hifihead-cam[train]'"


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ImportError:
        return False


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
