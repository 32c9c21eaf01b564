"""What is installed, and where every asset comes from."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from fnmatch import fnmatch
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import tomlkit
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
ASSETS = ROOT / "engine" / "assets"
SOURCES = ("engine", "plugins", "trainer", "vcam")
IMPORT_WITHOUT = """
import importlib, sys
for name in sys.argv[1:]:
    sys.modules[name] = None
for name in ("vcam.cli.run", "vcam.cli.render", "vcam.cli.inspection", "vcam.build", "vcam.doctor.loop_test", "vcam.sinks.mp4",
             "vcam.web", "engine.portrait", "engine.animator", "engine.runtime.onnxruntime_backend"):
    importlib.import_module(name)
"""
BUILD = "import sys; from setuptools import build_meta; getattr(build_meta, f'build_{sys.argv[1]}')(sys.argv[2])"
NOT_SOURCE = (".git", ".venv", "*_cache", "__pycache__", "build", "dist", "site", "*.egg-info", ".hypothesis")
MODEL_ERRORS = """
import engine.head, json
from vcam.doctor.probe_program import models
print(json.dumps([model.error for model in models()]))
"""
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


def locked(name: str) -> dict[str, str]:
    """Package → version, of a lock."""
    text = (ROOT / "requirements" / name).read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9.-]+)==([^ ;]+)", text, re.MULTILINE))


def test_every_locked_package_has_a_hash() -> None:
    for name in ("run.txt", "dev.txt"):
        entries = re.split(r"\n(?=[a-z])", (ROOT / "requirements" / name).read_text(encoding="utf-8"))[1:]
        assert {entry.partition("==")[0] for entry in entries} == set(locked(name))
        assert [entry for entry in entries if "--hash=sha256:" not in entry] == []


def test_the_lock_has_what_is_required_in_a_release_that_fits() -> None:
    versions, tools, extras = locked("run.txt"), locked("dev.txt"), project()["project"]["optional-dependencies"]
    for requirement in map(Requirement, project()["project"]["dependencies"]):
        assert requirement.specifier.contains(versions[requirement.name]), requirement
    unlocked = (ROOT / "requirements" / "unlocked.txt").read_text(encoding="utf-8")
    left_out = {"hifihead-cam", *re.findall(r"^([a-z0-9.-]+)", unlocked, re.MULTILINE)}
    for requirement in map(Requirement, [*extras["train"], *extras["c2pa"], *extras["keys"], *extras["dev"]]):
        if requirement.name not in left_out:
            assert requirement.specifier.contains(tools[requirement.name]), requirement


def test_tools_are_locked_beside_the_same_releases() -> None:
    run, dev = locked("run.txt"), locked("dev.txt")
    assert {name: dev.get(name) for name in run} == run


def test_there_is_one_opencv() -> None:
    assert [name for name in locked("dev.txt") if name.startswith("opencv")] == ["opencv-contrib-python"]


def test_third_party_md_names_every_locked_package() -> None:
    text = (ROOT / "THIRD_PARTY.md").read_text(encoding="utf-8")
    assert dict(re.findall(r"^\| ([a-z0-9.-]+) \| (\d\S*) \|", text, re.MULTILINE)) == locked("run.txt")


def test_the_program_needs_nothing_that_is_not_in_the_lock() -> None:
    """In an interpreter of its own, in which all other packages that happen to be installed cannot be imported."""
    there = {*locked("run.txt"), "hifihead-cam"}
    owners = metadata.packages_distributions()
    others = [name for name, found in owners.items() if not there & {owner.lower().replace("_", "-") for owner in found}]
    assert "pytest" in others
    assert {"mediapipe", "numba", "vcam"} & set(others) == set()
    subprocess.run([sys.executable, "-c", IMPORT_WITHOUT, *others], cwd=ROOT, check=True)


def test_this_python_is_one_of_those_supported() -> None:
    low, high = re.findall(r"3\.(\d+)", project()["project"]["requires-python"])
    assert int(low) <= sys.version_info[1] < int(high)


def test_a_wheel_made_of_the_source_package_runs_outside_the_checkout(tmp_path: Path) -> None:
    """Built from what the sdist holds, installed into an empty environment that finds only the dependencies elsewhere."""
    left_out = shutil.ignore_patterns(
        ".git", ".venv", "*_cache", "__pycache__", "build", "dist", "site", "*.egg-info", ".hypothesis"
    )
    shutil.copytree(ROOT, tmp_path / "source", ignore=left_out)
    made = {kind: tmp_path / kind for kind in ("sdist", "wheel")}
    for kind, folder in made.items():
        folder.mkdir()
        source = next(tmp_path.glob("unpacked/*"), tmp_path / "source")
        subprocess.run([sys.executable, "-c", BUILD, kind, folder], cwd=source, check=True, stdout=subprocess.DEVNULL)
        if kind == "sdist":
            shutil.unpack_archive(next(folder.glob("*.tar.gz")), tmp_path / "unpacked", filter="data")
    assert (source / "tests" / "test_packaging.py").is_file()
    assert (source / "docs" / "design.md").is_file()

    environment = tmp_path / "environment"
    venv.create(environment)
    places = sysconfig.get_paths(vars={"base": str(environment), "platbase": str(environment)})
    with zipfile.ZipFile(next(made["wheel"].glob("*.whl"))) as wheel:
        wheel.extractall(places["purelib"])
    # as a path and not as a place for packages: what is installed there in editable mode is not found
    (Path(places["purelib"]) / "dependencies.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")

    python, elsewhere = Path(places["scripts"]) / "python", tmp_path / "elsewhere"
    elsewhere.mkdir()
    surroundings = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}

    def said(*command: str) -> str:
        done = subprocess.run([python, *command], cwd=elsewhere, env=surroundings, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert f"package in {places['purelib']}" in said("-m", "vcam", "--version")
    assert '"background"' in said("-m", "vcam", "plugins", "--json")
    assert "evaluate" in said("-m", "trainer", "--help")
    assert set(json.loads(said("-c", MODEL_ERRORS))) == {""}
