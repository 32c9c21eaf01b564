"""Which settings file counts, and that an installed program has one that can be changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import InputError
from vcam import config_path
from vcam.cli.app import run_command
from vcam.config_path import default_path, own_config


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """As from a wheel: no checkout, a settings file of the package; the user's folder is empty."""
    path = tmp_path / "share" / "config.toml"
    path.parent.mkdir()
    path.write_text("# as it came\n[avatar]\nphoto = ''\n", encoding="utf-8")
    monkeypatch.setattr(config_path, "PROJECT", tmp_path / "site-packages")
    monkeypatch.setattr(config_path, "installed_path", lambda: path)
    monkeypatch.setattr(config_path, "user_folder", lambda kind: tmp_path / "home" / kind)
    return path


def test_a_checkout_has_its_own() -> None:
    assert default_path() == own_config() == Path(__file__).parents[2] / "config.toml"


def test_an_installed_program_copies_its_settings_to_where_they_can_be_changed(
    installed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = tmp_path / "home" / "config" / "config.toml"
    assert default_path() == installed
    assert run_command(["settings"]) == 0
    assert capsys.readouterr().out == f"{own}\n"
    assert own.read_bytes() == installed.read_bytes()
    assert default_path() == own


def test_what_the_user_wrote_stays(installed: Path, tmp_path: Path) -> None:
    own = tmp_path / "home" / "config" / "config.toml"
    own.parent.mkdir(parents=True)
    own.write_text("[avatar]\nphoto = 'me.jpg'\n", encoding="utf-8")
    assert own_config() == own
    assert own.read_text(encoding="utf-8") == "[avatar]\nphoto = 'me.jpg'\n"


def test_a_folder_that_cannot_be_made_is_told(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "home").write_text("", encoding="utf-8")
    with pytest.raises(InputError, match="cannot be made"):
        own_config()
