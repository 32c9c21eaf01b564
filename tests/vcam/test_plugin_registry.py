"""How plug-ins are found, loaded, listed and begun."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import pytest

from engine.errors import ConfigError, InputError
from tests.test_docs import ROOT
from tests.vcam.test_plugins import BLUE
from vcam.cli.app import run_command
from vcam.plugins.registry import FoundPlugin, find_plugins, hooks_of, of_packages, the_plugin
from vcam.plugins.testing import PluginRun

PAGE = (ROOT / "docs" / "plugins.md").read_text(encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of plug-ins, and a settings file that names it."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "config.toml").write_text('[plugins]\nfolder = "mine"\n', encoding="utf-8")
    return tmp_path / "mine"


def write(folder: Path, name: str, text: str) -> None:
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")


def load(folder: Path, name: str) -> type:
    return the_plugin(find_plugins("mine", folder.parent / "config.toml"), name).load()


def test_files_and_folders_are_found_tests_are_not(folder: Path) -> None:
    write(folder, "blue.py", BLUE)
    write(folder, "test_blue.py", "raise SystemExit")
    write(folder, "_helper.py", "raise SystemExit")
    write(folder, "whole/__init__.py", "from .part import shade\n" + BLUE.replace("250", "shade()"))
    write(folder, "whole/part.py", "def shade(): return 77\n")
    found = find_plugins("mine", folder.parent / "config.toml")
    assert {"blue", "whole"} <= set(found)
    assert not {"test_blue", "_helper", "helper"} & set(found)
    with PluginRun(load(folder, "whole")) as run:
        assert np.all(run.frame()[..., 2] == 77)


def test_a_changed_file_is_loaded_as_it_is_now(folder: Path) -> None:
    write(folder, "blue.py", BLUE)
    load(folder, "blue")
    write(folder, "blue.py", BLUE.replace("250", "33"))
    with PluginRun(load(folder, "blue")) as run:
        assert np.all(run.frame()[..., 2] == 33)


def test_a_packages_entry_point_is_found() -> None:
    point = EntryPoint("shown", "tests.vcam.test_plugins:Reddens", "hifihead.plugins")
    (found,) = of_packages([point])
    assert (found.name, hooks_of(found.load())) == ("shown", ("start", "on_frame"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("def broken(:\n", ["'odd' is not valid Python", "line 1"]),
        ("import no_such_package.inside\n", ["needs the package 'no_such_package'", "-m pip install no_such_package"]),
        ("1 / 0\n", ["cannot be loaded", "ZeroDivisionError"]),
        ("x = 1\n", ["must have one class with any of start, on_motion", "found: none"]),
        (BLUE + BLUE.replace("Blue", "Again"), ["found: Again, Blue"]),
    ],
)
def test_what_cannot_be_loaded_is_told(folder: Path, text: str, words: list[str]) -> None:
    write(folder, "odd.py", text)
    with pytest.raises(InputError) as refused:
        load(folder, "odd")
    for word in words:
        assert word in str(refused.value)


def test_a_name_twice_and_a_folder_that_is_not_there_are_told(folder: Path) -> None:
    twice = [FoundPlugin("blue", place, lambda: type("Blue", (), {})) for place in ("one/blue.py", "the package two")]
    with pytest.raises(ConfigError, match=r"called 'blue': one/blue\.py and the package two"):
        the_plugin({"blue": twice}, "blue")
    with pytest.raises(InputError, match="nowhere does not exist"):
        find_plugins("nowhere", folder.parent / "config.toml")


def test_the_list_tells_state_and_settings(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(folder, "blue.py", BLUE)
    write(folder, "odd.py", "import no_such_package\n")
    config = folder.parent / "config.toml"
    sections = '[plugins]\nfolder = "mine"\n[plugins.blue]\nenabled = true\n[plugins.gone]\nenabled = true\n'
    config.write_text(sections, encoding="utf-8")
    assert run_command(["plugins", "--config", str(config), "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)["plugins"]}
    assert (rows["blue"]["state"], rows["blue"]["hooks"]) == ("on", ["on_frame"])
    assert rows["odd"]["state"] == "cannot be used"
    assert "no plug-in 'gone'" in rows["gone"]["reason"]
    assert run_command(["plugins", "--config", str(config)]) == 0
    assert "blue" in capsys.readouterr().out


def test_a_new_plugin_works_and_its_test_passes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = str(folder.parent / "config.toml")
    assert run_command(["plugins", "new", "my_filter", "--config", config]) == 0
    assert "[plugins.my_filter]" in capsys.readouterr().out
    assert load(folder, "my_filter").__name__ == "MyFilter"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(folder / "test_my_filter.py")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert run_command(["plugins", "new", "my_filter", "--config", config]) == 1
    assert run_command(["plugins", "new", "My-Filter", "--config", config]) == 1
    assert "small letters" in capsys.readouterr().err


def test_the_example_of_the_page_runs(folder: Path) -> None:
    example = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)[0]
    assert len([line for line in example.splitlines() if line]) <= 5
    write(folder, "nod.py", example)
    with PluginRun(load(folder, "nod")) as run:
        angles = [run.motion().pose[0] for _ in range(2) if run.frame() is not None]
    assert angles[0] != angles[1]
