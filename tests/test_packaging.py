"""What is installed, and where every asset comes from."""

from __future__ import annotations

import hashlib
import re
import sys
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import tomlkit

ROOT = Path(__file__).parents[1]
ASSETS = ROOT / "engine" / "assets"
SOURCES = ("engine", "plugins", "trainer", "vcam")
TABLE_ROW = re.compile(r"^\| `(?P<path>[^`]+)` \|.*\| `(?P<sha256>[0-9a-f]{64})` \|", re.MULTILINE)


def project() -> dict[str, Any]:
    """pyproject.toml."""
    return tomlkit.parse((ROOT / "pyproject.toml").read_text(encoding="utf-8")).unwrap()


def data_files() -> list[Path]:
    """Every file in the packages that is not Python's."""
    files = (path for source in SOURCES for path in (ROOT / source).rglob("*") if path.is_file())
    return sorted(path for path in files if path.suffix != ".py" and path.parent.name != "__pycache__")


def test_every_package_is_listed() -> None:
    folders = {path.parent for source in SOURCES for path in (ROOT / source).rglob("*.py")} | {ASSETS}
    found = {".".join(folder.relative_to(ROOT).parts) for folder in folders}
    listed = project()["tool"]["setuptools"]["packages"]
    assert listed == sorted(found)


def test_every_folder_of_sources_is_a_package() -> None:
    folders = {path.parent for source in SOURCES for path in (ROOT / source).rglob("*.py")}
    assert not [folder for folder in sorted(folders) if not (folder / "__init__.py").is_file()]


def test_every_data_file_is_installed() -> None:
    patterns = project()["tool"]["setuptools"]["package-data"]
    wanted = [f"{package.replace('.', '/')}/{pattern}" for package, globs in patterns.items() for pattern in globs]
    files = [path.relative_to(ROOT).as_posix() for path in data_files()]
    assert not [file for file in files if not any(fnmatch(file, pattern) for pattern in wanted)]


def test_the_settings_file_is_installed() -> None:
    assert project()["tool"]["setuptools"]["data-files"] == {"share/hifihead": ["config.toml"]}
    assert (ROOT / "config.toml").is_file()


def test_assets_md_names_every_asset_with_its_hash() -> None:
    stated = {row["path"]: row["sha256"] for row in TABLE_ROW.finditer((ROOT / "ASSETS.md").read_text(encoding="utf-8"))}
    files = [path for path in data_files() if ASSETS in path.parents]
    true = {path.relative_to(ROOT).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    assert stated == true


@pytest.mark.parametrize("script", ["Makefile", ".ci/run"])
def test_what_others_start_is_there(script: str) -> None:
    assert (ROOT / script).is_file()


def test_this_python_is_one_of_those_supported() -> None:
    low, high = re.findall(r"3\.(\d+)", project()["project"]["requires-python"])
    assert int(low) <= sys.version_info[1] < int(high)
