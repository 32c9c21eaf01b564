"""Models of the user's own: where they lie, and what happens when one is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

import engine.animator
from engine.errors import AssetError, ConfigError
from engine.values import Coefficients
from vcam.config import Settings
from vcam.files import model_folder
from vcam.parts import live_driver, open_animator

MINE = Path("mine")


class FakeEngine:
    """Stands for ``engine.animator.Animator``; refuses what is in ``refused``."""

    refused: tuple[Path, ...] = ()

    def __init__(self, name: str, threads: int, say: object, bundle: Path | None = None, *, fixed: bool = False) -> None:
        if name == "absent":
            raise ConfigError("The engine absent is not installed.")
        if bundle in self.refused:
            raise AssetError(f"{bundle}/frame.onnx is damaged.")
        self.bundle = bundle


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setattr(engine.animator, "Animator", FakeEngine)
    return []


def test_a_generator_of_ones_own_is_used(said: list[str]) -> None:
    opened = open_animator("auto", MINE, said.append)
    assert isinstance(opened, FakeEngine)
    assert opened.bundle == MINE
    assert not said


def test_when_it_is_refused_the_one_that_ships_is_used_and_that_is_said(said: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeEngine, "refused", (MINE,))
    opened = open_animator("auto", MINE, said.append)
    assert isinstance(opened, FakeEngine)
    assert opened.bundle is None
    assert said == ["mine/frame.onnx is damaged. The generator that ships is used instead."]


def test_a_wrong_setting_is_not_hidden(said: list[str]) -> None:
    with pytest.raises(ConfigError, match="absent is not installed"):
        open_animator("absent", MINE, said.append)


def test_a_refused_network_is_named_and_the_one_that_ships_drives(said: list[str], tmp_path: Path) -> None:
    settings = Settings.model_validate({"tracking": {"regressor": "network"}, "runtime": {"engine": "onnxruntime"}})
    assert live_driver(settings, tmp_path, said.append)(Coefficients.neutral())
    assert len(said) == 1
    assert str(tmp_path) in said[0]
    assert said[0].endswith("The network that ships is used instead.")


def test_a_relative_folder_starts_at_the_settings_file(tmp_path: Path) -> None:
    assert model_folder("", tmp_path / "config.toml") is None
    assert model_folder("training/live", tmp_path / "config.toml") == tmp_path / "training" / "live"
    assert model_folder("training/live", None) == Path("training/live")
    assert model_folder(str(tmp_path), Path("config.toml")) == tmp_path
