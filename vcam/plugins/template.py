"""A new plug-in, and its test, to begin with."""

from __future__ import annotations

import keyword
from pathlib import Path

from engine.errors import InputError
from engine.files import refuse_unwritable, write_text
from vcam.plugins.registry import is_plugin_name

PLUGIN = '''"""{name}: says in one line what it does; this one dims the picture."""

import numpy as np
from pydantic import Field

from vcam.plugins import PluginContext, PluginSettings


class {kind}:
    """Dims the picture."""

    budget_ms = 5.0  # what on_motion and on_frame may take

    class Settings(PluginSettings):
        """[plugins.{name}] in config.toml."""

        strength: float = Field(0.5, ge=0, le=1, description="how much darker, 0…1")

    def start(self, context: PluginContext[Settings]) -> None:
        self._share = 1 - context.settings.strength

    def on_frame(self, picture, time):
        """(H, W, 3) RGB, read-only; the picture to show instead, or None."""
        return (picture * self._share).astype(np.uint8)
'''

TEST = '''"""Run with: pytest {test}"""

import importlib.util
from pathlib import Path

import numpy as np

from vcam.plugins.testing import PluginRun

spec = importlib.util.spec_from_file_location("{name}", Path(__file__).with_name("{name}.py"))
{name} = importlib.util.module_from_spec(spec)
spec.loader.exec_module({name})


def test_the_picture_becomes_darker():
    with PluginRun({name}.{kind}, strength=0.5) as run:
        assert np.all(run.frame(np.full((240, 320, 3), 200, np.uint8)) == 100)
'''


def write_template(name: str, folder: Path) -> tuple[Path, Path]:
    """Writes NAME.py and its test; returns both paths. Raises InputError when the name is none, or one of the files exists."""
    if not is_plugin_name(name) or keyword.iskeyword(name):
        raise InputError(f"{name!r} cannot be a plug-in's name. Wanted: small letters, digits and _, as in my_plugin.")
    if not folder.is_dir():
        raise InputError(f"The folder {folder} does not exist.")
    kind = "".join(part.capitalize() for part in name.split("_"))
    texts = {
        folder / f"{name}.py": PLUGIN.format(name=name, kind=kind),
        folder / f"test_{name}.py": TEST.format(name=name, kind=kind, test=folder / f"test_{name}.py"),
    }
    for path in texts:
        refuse_unwritable(path)
        if path.exists():
            raise InputError(f"{path} exists; choose another name, or remove it.")
    for path, text in texts.items():
        write_text(path, text)
    plugin, test = texts
    return plugin, test
