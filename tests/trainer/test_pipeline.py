"""``python -m trainer``: which commands are called with what, on fakes that only leave their results."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from engine.errors import AssetError
from trainer.cli import app
from trainer.generator.evaluation.inputs import CLIP, PORTRAITS
from trainer.pipeline import JUDGE, QUICK

Call = tuple[tuple[Any, ...], dict[str, Any]]


class Commands:
    """Stand for the trainer's commands: they remember their calls, and leave what the real ones leave."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Call]] = []
        self.broken = ""

    def fake(self, name: str, leaves: Callable[[tuple[Any, ...], dict[str, Any]], Path]) -> Callable[..., None]:
        def command(*arguments: Any, **options: Any) -> None:
            if name == self.broken:
                raise AssetError("npm is needed and is not installed: install Node.js")
            self.calls.append((name, (arguments, options)))
            result = leaves(arguments, options)
            result.parent.mkdir(parents=True, exist_ok=True)
            result.touch()

        return command

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.calls]

    def of(self, name: str) -> Call:
        """The last call."""
        return next(call for called, call in reversed(self.calls) if called == name)


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> Commands:
    made = Commands()
    fakes: dict[str, Callable[[tuple[Any, ...], dict[str, Any]], Path]] = {
        "trainer.data.commands.recipe": lambda arguments, _: portraits_of(arguments[0]),
        "trainer.regressor.commands.examples": lambda arguments, _: arguments[0] / "labels.npz",
        "trainer.generator.commands.scenes": lambda arguments, _: arguments[0] / "scene.npz",
        "trainer.regressor.commands.regressor": lambda arguments, _: arguments[1] / "last.pt",
        "trainer.regressor.commands.export_regressor": lambda arguments, _: arguments[1] / "manifest.json",
        "trainer.generator.commands.generator": lambda arguments, _: arguments[1] / "last.pt",
        "trainer.generator.commands.export": lambda _, options: options["out"] / "manifest.json",
        "trainer.generator.evaluation.inputs.render_test_people": lambda arguments, _: arguments[0] / CLIP,
        "trainer.regressor.evaluation.command.evaluate_regressor": lambda arguments, _: arguments[0] / "report.json",
        "trainer.generator.evaluation.command.evaluate_generator": lambda arguments, _: arguments[0] / "report.html",
    }
    for path, leaves in fakes.items():
        monkeypatch.setattr(path, made.fake(path.rpartition(".")[2], leaves))
    return made


def portraits_of(out: Path) -> Path:
    """As the recipe does: four photographs of two people, and an album of somebody generated."""
    for person, count in (("kit-marc", 2), ("soft-marie", 2), ("generated-P001", 3)):
        for number in range(count):
            path = out / "packages" / "data" / "portraits" / person / f"{number}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    return out / "skipped.txt"


def call(folder: Path, *options: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["--quick", "--folder", str(folder), *options])
    return result.exit_code, " ".join((result.output + str(result.exception or "")).split())


EVERYTHING = [
    "recipe", "examples", "examples", "examples", "scenes", "scenes", "scenes",
    "regressor", "export_regressor", "generator", "export", "render_test_people", "evaluate_regressor", "evaluate_generator",
]  # fmt: skip


def test_everything_is_made_from_data_to_a_bundle_that_the_camera_loads(commands: Commands, tmp_path: Path) -> None:
    code, said = call(tmp_path)
    assert code == 0, said
    assert commands.names == EVERYTHING
    weights = tmp_path / "free" / "packages" / "weights"
    (sets, run), options = commands.of("generator")
    assert [text.rpartition(":")[0] for text in sets] == [
        str(tmp_path / "scenes" / n) for n in ("series", "photographs", "people")
    ]
    assert options["regressor"] == tmp_path / "runs" / "regressor" / "last.pt"
    assert options["features"].parent == options["identity"].parent == weights
    assert options["images"] == QUICK.generator_images
    assert commands.of("export")[0][0] == run / "last.pt"
    assert commands.of("export")[1]["out"] == tmp_path / "live"
    assert commands.of("evaluate_generator")[0][2] == [options["identity"], weights / JUDGE]
    evaluated = commands.of("evaluate_generator")[1]
    assert evaluated["bundle"] == [f"live={tmp_path / 'live'}"]
    assert evaluated["clip"] == [tmp_path / "test-people" / CLIP]
    assert [path.name for path in evaluated["portrait"]] == list(PORTRAITS)
    assert f'The camera uses it with bundle = "{tmp_path / "live"}" under [runtime] in config.toml' in said


def test_photographs_are_those_of_real_people_and_no_more_than_wanted(commands: Commands, tmp_path: Path) -> None:
    call(tmp_path)
    shown = next(options["photographs"] for name, (_, options) in commands.calls if "photographs" in options)
    assert [f"{path.parent.name}/{path.name}" for path in shown] == ["kit-marc/0.jpg", "kit-marc/1.jpg", "soft-marie/0.jpg"]


def test_some_people_are_kept_from_the_regressor_and_tell_what_it_is_worth(commands: Commands, tmp_path: Path) -> None:
    assert call(tmp_path)[0] == 0
    asked = [options for name, (_, options) in commands.calls if name == "examples"]
    learned = next(options["portrait"] for options in asked if "portrait" in options)
    without = next(options["without"] for options in asked if "shards" in options)
    (_, _, told, _), _ = commands.of("export_regressor")
    assert told
    assert {path.parent for path in told} == set(without)
    assert not {path.parent for path in learned} & set(without)


def test_a_second_call_does_nothing_and_other_media_are_judged_anew(commands: Commands, tmp_path: Path) -> None:
    call(tmp_path)
    commands.calls.clear()
    call(tmp_path)
    assert commands.names == []
    code, _ = call(tmp_path, "--clip", "franck.mp4", "--portrait", "mona.jpg")
    assert code == 0
    assert commands.names == ["evaluate_regressor", "evaluate_generator"]
    evaluated = commands.of("evaluate_generator")[1]
    assert (evaluated["clip"], evaluated["portrait"]) == ([Path("franck.mp4")], [Path("mona.jpg")])


def test_it_stops_at_the_step_that_fails_and_goes_on_there(commands: Commands, tmp_path: Path) -> None:
    commands.broken = "regressor"
    code, said = call(tmp_path)
    assert code == 1
    assert "Step 8, regressor: npm is needed and is not installed: install Node.js. The same command goes on here." in said
    assert commands.names == EVERYTHING[:7]
    commands.broken = ""
    commands.calls.clear()
    call(tmp_path)
    assert commands.names == EVERYTHING[7:]


def test_a_proof_and_the_whole_do_not_share_a_folder(commands: Commands, tmp_path: Path) -> None:
    call(tmp_path)
    result = CliRunner().invoke(app, ["--folder", str(tmp_path)])
    assert "was begun otherwise (heads = 40" in str(result.exception)


def test_a_command_alone_starts_nothing_else(commands: Commands) -> None:
    assert CliRunner().invoke(app, ["scenes", "--help"]).exit_code == 0
    assert commands.names == []


def test_options_of_the_whole_run_are_refused_before_a_command(commands: Commands) -> None:
    result = CliRunner().invoke(app, ["--quick", "scenes", "somewhere"])
    assert "--quick before scenes" in str(result.exception)
    assert not commands.calls
