"""The command: planning needs no data, StyleGAN2's weights start a fresh run only."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
import typer
from typer.testing import CliRunner

from engine.errors import ConfigError
from tests.trainer.generator.conftest import TINY
from tests.trainer.stylegan2.files import write_rosinality
from trainer.generator.command import INIT, generator, run
from trainer.generator.loop import LAST, load_average
from trainer.generator.objective import Judges
from trainer.generator.planning import judges_of
from trainer.generator.scenes import SceneFolder

STYLED = replace(TINY, variant="tiny-paper", images=4, weights={"reconstruction": 1.0})


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
    assert [judge.name for judge in judges_of(TINY, None)] == []
    weights = {"perceptual": 1.0, "mesh": 0.1}
    assert [judge.name for judge in judges_of(replace(TINY, weights=weights), None)] == ["perceptual", "regressor"]


def test_without_sets_it_says_what_is_wanted() -> None:
    with pytest.raises(ConfigError, match="Wanted the folders of scenes"):
        generator()


def test_a_fresh_run_starts_from_stylegan2_and_tells_what_was_copied(
    scenes: SceneFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_rosinality(tmp_path / "ffhq.pt")
    sets, out = [(tmp_path / "scenes", 1.0)], tmp_path / "run"
    run(replace(STYLED, rate=1e-9), sets, out, Judges(), tmp_path / "ffhq.pt")
    lines = (out / INIT).read_text().splitlines()
    assert lines[0].startswith("StyleGAN2: ")
    assert lines[0] in capsys.readouterr().out
    theirs = torch.load(tmp_path / "ffhq.pt", weights_only=False)["g_ema"]["input.input"]
    torch.testing.assert_close(load_average(out / LAST).constant.data, theirs)

    with pytest.raises(ConfigError, match="has begun already, and --init-stylegan2 is for a fresh run"):
        run(STYLED, sets, out, Judges(), tmp_path / "ffhq.pt")
