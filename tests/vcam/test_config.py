"""The settings file documents every setting, equals the defaults, and mistakes in it are named."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from engine.errors import ConfigError
from engine.runtime import engine_names
from vcam.config import Settings, live_keys
from vcam.config_file import known_keys, parse_settings, read_settings, with_changes

CONFIG = Path(__file__).parents[2] / "config.toml"


def test_the_file_equals_the_defaults() -> None:
    """Sections of plug-ins are held against their own models, in tests/plugins."""
    in_file = read_settings(CONFIG)
    assert in_file.model_copy(update={"plugins": Settings().plugins}) == Settings()
    assert {key: getattr(in_file.plugins, key) for key in type(in_file.plugins).model_fields} == {"folder": "", "microphone": ""}


def test_every_setting_stands_in_the_file_with_a_comment() -> None:
    section, documented = "", set()
    for line in CONFIG.read_text(encoding="utf-8").splitlines():
        if heading := re.match(r"\[([\w.]+)\]", line):
            section = heading[1]
        elif setting := re.match(r"(\w+) = .+?\s# .{20,}", line):
            documented.add(f"{section}.{setting[1]}")
    assert {key for key in documented if key.count(".") == 1} == {key for key in known_keys() if "." in key}


def test_the_file_says_which_settings_take_effect_while_the_camera_runs() -> None:
    section, marked = "", set()
    for line in CONFIG.read_text(encoding="utf-8").splitlines():
        if heading := re.fullmatch(r"\[(\w+)\]", line):
            section = heading[1]
        elif setting := re.match(r"(\w+) = .+?\s# \(live\) ", line):
            marked.add(f"{section}.{setting[1]}")
    assert marked == live_keys()


def test_an_empty_file_gives_the_defaults() -> None:
    assert parse_settings("", "config.toml") == Settings()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[avatar]\nphotos = "x"', ["avatar.photos", "not a setting", "did you mean avatar.photo?"]),
        ('[avatr]\nphoto = "x"', ["avatr", "not a setting", "did you mean avatar?"]),
        ("[qqq]\nzzz = 1", ["qqq", "there are", "camera.fps"]),
        ('[camera]\nfps = "30"', ["camera.fps", "a whole number", "'30'"]),
        ("[camera]\nfps = 30.5", ["camera.fps", "a whole number", "30.5"]),
        ("[camera]\nfps = 300", ["camera.fps", "from 5 to 60", "300"]),
        ("[camera]\nsource = 0", ["camera.source", "text in quotes", "got 0"]),
        ('[camera]\nsource = ""', ["camera.source", "not empty"]),
        ("[drive]\nhold_s = nan", ["drive.hold_s", "from 0.0 to 60.0", "nan"]),
        ("[drive]\nhold_s = true", ["drive.hold_s", "a number", "True"]),
        ('[output]\nsink = "foo"', ["output.sink must be auto or virtual or pipewire or preview or file:MP4, got 'foo'"]),
        ('[output]\nsink = "file:"', ["output.sink must be auto or virtual", "'file:'"]),
        ('[output]\nsink = "preview:"', ["output.sink must be auto or virtual", "'preview:'"]),
        ("[output]\nwidth_px = 1281", ["output.width_px", "multiple of 2", "1281"]),
        (f'[output]\ncamera_name = "{"x" * 32}"', ["output.camera_name", "at most 31"]),
        ('[runtime]\nengine = "cuda"', ["runtime.engine", "'openvino'", "'cuda'"]),
        ("avatar = 3", ["avatar", "a [section]", "got 3"]),
        ("[camera\n", ["valid TOML", "line 1"]),
        ("[camera]\nfps = 1\nwidth_px = 1", ["camera.width_px", "1 more mistake"]),
    ],
)
def test_mistakes_are_named(text: str, words: list[str]) -> None:
    with pytest.raises(ConfigError) as refused:
        parse_settings(text, "config.toml")
    for word in ["config.toml", *words]:
        assert word in str(refused.value)
    assert "\n" not in str(refused.value)


def test_whole_numbers_are_accepted_where_numbers_are_wanted() -> None:
    assert parse_settings("[drive]\nhold_s = 1", "config.toml").drive.hold_s == 1.0


def test_unreadable_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nothing\.toml cannot be read"):
        read_settings(tmp_path / "nothing.toml")
    (tmp_path / "latin.toml").write_bytes(b"# \xe9")
    with pytest.raises(ConfigError, match="UTF-8"):
        read_settings(tmp_path / "latin.toml")


def test_changes_of_the_command_line_are_checked_too() -> None:
    changed = with_changes(Settings(), {"output": {"width_px": 512, "height_px": 512}}, "The command line")
    assert (changed.output.width_px, changed.output.fps) == (512, Settings().output.fps)
    with pytest.raises(ConfigError, match=r"output\.width_px"):
        with_changes(Settings(), {"output": {"width_px": 7}}, "The command line")


def test_every_engine_can_be_named() -> None:
    for name in ("auto", *engine_names()):
        assert parse_settings(f'[runtime]\nengine = "{name}"', "config.toml").runtime.engine == name


def test_settings_are_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings().camera.fps = 10  # type: ignore[misc]
