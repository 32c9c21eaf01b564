"""The command: planning needs no data, StyleGAN2's weights start a fresh run only."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import typer
from typer.testing import CliRunner

from engine.errors import ConfigError, InputError
from tests.trainer.generator.conftest import TINY
from tests.trainer.stylegan2.files import write_rosinality
from trainer.generator.commands import INIT, generator, run
from trainer.generator.config import GeneratorConfig
from trainer.generator.objective import LossNetworks
from trainer.generator.planning import frozen_networks
from trainer.generator.scenes import SceneFolder
from trainer.generator.training import load_average
from trainer.training.checkpoint import load_checkpoint, save_checkpoint
from trainer.training.loop import LAST

STYLED = TINY.changed(variant="tiny-paper", images=4, weights={"reconstruction": 1.0})


def planned(*options: str) -> str:
    app = typer.Typer()
    app.command()(generator)
    result = CliRunner().invoke(app, ["--plan", *options])
    assert result.exit_code == 0, result.output
    return " ".join(result.output.split())


def test_a_plan_needs_no_data_and_is_of_the_papers_setting() -> None:
    text = planned("--images", "3200")
    assert "8 × V100, batch 32:" in text
    assert "3,200 pictures (100 steps)" in text
    for network in ("generator", "discriminator", "perceptual", "regressor"):
        assert network in text
    assert "The identity network is not counted" in text


def test_a_plan_is_of_the_settings_that_are_given(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text('variant = "tiny-live"\nwindow = 16\nbatch = 8\nimages = 800\n[weights]\nadversarial = 0\nidentity = 0\n')
    text = planned("--config", str(path), "--gpus", "2", "--gpu", "A100")
    assert "2 × A100, batch 8:" in text
    assert "800 pictures (100 steps)" in text
    assert "discriminator │" not in text
    assert "identity network" not in text


def test_only_what_has_a_weight_is_counted() -> None:
    assert [judge.name for judge in frozen_networks(TINY, None)] == []
    weights = {"perceptual": 1.0, "mesh": 0.1}
    assert [judge.name for judge in frozen_networks(TINY.changed(weights=weights), None)] == ["perceptual", "regressor"]


def test_without_sets_it_says_what_is_wanted() -> None:
    with pytest.raises(ConfigError, match="Wanted the folders of scenes"):
        generator()


def test_a_fresh_run_starts_from_stylegan2_and_tells_what_was_copied(
    scenes: SceneFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_rosinality(tmp_path / "ffhq.pt")
    sets, out = [(scenes.folder, 1.0)], tmp_path / "run"
    run(STYLED.changed(rate=1e-9), sets, out, LossNetworks(), tmp_path / "ffhq.pt", None)
    lines = (out / INIT).read_text().splitlines()
    assert lines[0].startswith("StyleGAN2: ")
    assert lines[0] in capsys.readouterr().out
    theirs = torch.load(tmp_path / "ffhq.pt", weights_only=False)["g_ema"]["input.input"]
    torch.testing.assert_close(load_average(out / LAST).constant.data, theirs)

    with pytest.raises(ConfigError, match="has begun already, and --init-stylegan2 is for a fresh run"):
        run(STYLED, sets, out, LossNetworks(), tmp_path / "ffhq.pt", None)


def test_a_fresh_run_starts_from_another_and_the_refiner_alone_learns(scenes: SceneFolder, tmp_path: Path) -> None:
    sets, first, second = [(scenes.folder, 1.0)], tmp_path / "first", tmp_path / "second"
    run(TINY, sets, first, LossNetworks(), None, None)
    finer = TINY.changed(learns="refiner", rate=0.01)
    run(finer, sets, second, LossNetworks(), None, first / LAST)
    before, after = (load_average(folder / LAST).state_dict() for folder in (first, second))
    changed = {name for name, values in after.items() if not torch.equal(values, before[name])}
    assert changed
    assert all(name.startswith("refiner.") for name in changed)

    with pytest.raises(ConfigError, match="has begun already, and --start-from is for a fresh run"):
        run(finer, sets, second, LossNetworks(), None, first / LAST)


def test_a_checkpoint_without_a_refiner_is_a_start_and_one_of_another_variant_is_not(scenes: SceneFolder, tmp_path: Path) -> None:
    sets, first = [(scenes.folder, 1.0)], tmp_path / "first"
    run(TINY, sets, first, LossNetworks(), None, None)
    checkpoint = load_checkpoint(first / LAST)
    average = checkpoint.state["average"]
    checkpoint.state["average"] = {name: values for name, values in average.items() if not name.startswith("refiner.")}
    save_checkpoint(tmp_path / "older.pt", checkpoint)
    run(TINY.changed(images=4, rate=1e-9), sets, tmp_path / "second", LossNetworks(), None, tmp_path / "older.pt")
    got = load_average(tmp_path / "second" / LAST)
    assert got.refiner is not None
    torch.testing.assert_close(got.constant, average["constant"])
    assert not got.refiner.mouth.head.weight.abs().max() > 1e-6

    checkpoint.state["average"] = {"constant": average["constant"]}
    save_checkpoint(tmp_path / "other.pt", checkpoint)
    with pytest.raises(InputError, match=r"other\.pt is no checkpoint of a generator of this variant"):
        run(TINY, sets, tmp_path / "third", LossNetworks(), None, tmp_path / "other.pt")


def test_two_starts_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--init-stylegan2 and --start-from"):
        generator(["scenes"], tmp_path, init_stylegan2=tmp_path / "a.pt", start_from=tmp_path / "b.pt")


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"learns": "half"}, "must be one of everything, refiner"), ({"learns": "refiner", "variant": "paper"}, "has no refiner")],
)
def test_what_cannot_learn_is_refused(changes: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        GeneratorConfig(**changes)  # type: ignore[arg-type]
