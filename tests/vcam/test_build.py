"""Models of the user's own: where they lie, and what happens when one is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

import engine.animator
from engine.errors import AssetError, ConfigError
from tests.fakes import FakeClock, Said
from vcam.build import Builder
from vcam.config import Settings
from vcam.files import model_folder
from vcam.messages import Messages


class FakeEngine:
    """Stands for ``engine.animator.Animator``; refuses what is in ``refused``."""

    refused: tuple[Path, ...] = ()

    def __init__(self, name: str, threads: int, say: object, bundle: Path | None = None, *, fixed: bool = False) -> None:
        if name == "absent":
            raise ConfigError("The engine absent is not installed.")
        if bundle in self.refused:
            raise AssetError(f"{bundle}/frame.onnx is damaged.")
        self.bundle, self.fixed = bundle, fixed


def builder_for(settings: dict[str, dict[str, str]], said: Said, folder: Path, *, reproducible: bool = False) -> Builder:
    messages = Messages(said, FakeClock())
    return Builder(Settings.model_validate(settings), folder / "config.toml", messages=messages, reproducible=reproducible)


@pytest.fixture
def fake_engine(monkeypatch: pytest.MonkeyPatch) -> type[FakeEngine]:
    monkeypatch.setattr(engine.animator, "Animator", FakeEngine)
    return FakeEngine


def test_a_generator_of_ones_own_is_used(fake_engine: type[FakeEngine], tmp_path: Path) -> None:
    said = Said()
    opened = builder_for({"runtime": {"bundle": "mine"}}, said, tmp_path, reproducible=True).open_animator()
    assert isinstance(opened, FakeEngine)
    assert (opened.bundle, opened.fixed) == (tmp_path / "mine", True)
    assert not said


def test_when_it_is_refused_the_one_that_ships_is_used_and_that_is_said(
    fake_engine: type[FakeEngine], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = Said()
    monkeypatch.setattr(FakeEngine, "refused", (tmp_path / "mine",))
    builder = builder_for({"runtime": {"bundle": "mine"}}, said, tmp_path)
    opened = builder.open_animator()
    assert isinstance(opened, FakeEngine)
    assert opened.bundle is None
    assert said == [f"{tmp_path}/mine/frame.onnx is damaged. The generator that ships is used instead."]
    with pytest.raises(AssetError, match="damaged"):
        builder.open_animator(strict=True)


def test_a_wrong_setting_is_not_hidden(fake_engine: type[FakeEngine], tmp_path: Path) -> None:
    builder = builder_for({"runtime": {"bundle": "mine"}}, Said(), tmp_path)
    builder.settings = builder.settings.model_copy(
        update={"runtime": builder.settings.runtime.model_copy(update={"engine": "absent"})}
    )
    with pytest.raises(ConfigError, match="absent is not installed"):
        builder.open_animator()


def test_a_refused_network_is_named_and_the_one_that_ships_drives(tmp_path: Path) -> None:
    said = Said()
    settings = {"tracking": {"regressor": "network", "network": "."}, "runtime": {"engine": "onnxruntime"}}
    builder = builder_for(settings, said, tmp_path)
    builder.open_regressor().close()
    assert len(said) == 1
    assert str(tmp_path) in said[0]
    assert said[0].endswith("The network that ships is used instead.")
    with pytest.raises(AssetError):
        builder.open_regressor(strict=True)


def test_a_relative_folder_starts_at_the_settings_file(tmp_path: Path) -> None:
    assert model_folder("", tmp_path / "config.toml") is None
    assert model_folder("training/live", tmp_path / "config.toml") == tmp_path / "training" / "live"
    assert model_folder("training/live", None) == Path("training/live")
    assert model_folder(str(tmp_path), Path("config.toml")) == tmp_path
