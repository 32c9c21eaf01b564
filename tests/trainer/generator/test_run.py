"""The training itself: it learns, goes on as if it had never stopped, is the same on two processes, and stops at NaN."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.errors import ConfigError
from engine.generator.far import FarGenerator
from engine.head import HeadModel
from tests.trainer.generator.conftest import TINY, mix
from trainer.generator.batches import Batch, Mixture
from trainer.generator.command import start
from trainer.generator.config import GeneratorConfig
from trainer.generator.loop import ABOUT, LAST, SAMPLES, load_average, train, variant_of
from trainer.generator.objective import Judges, Objective
from trainer.generator.run import Training
from trainer.generator.scenes import SceneFolder
from trainer.training.distributed import Team
from trainer.training.diverged import DivergedError
from trainer.training.settings import read_settings

ALONE = Team(0, 1, torch.device("cpu"))


def run(config: GeneratorConfig, mixture: Mixture, head: HeadModel, folder: Path) -> Training:
    training = Training(start(config), config, ALONE)
    train(training, mixture, Objective(config, head, Judges()), folder)
    return training


def test_one_pair_is_learned_by_heart_in_200_steps(mixture: Mixture, head: HeadModel) -> None:
    config = replace(TINY, batch=1, cross=0.0, images=200, rate=4e-3, weights={**TINY.weights, "adversarial": 0.0})
    training, objective = Training(start(config), config, ALONE), Objective(config, head, Judges())
    pair = mixture.batch(0, 1, 0.0)
    errors = [training.step([pair], objective)["reconstruction"] for _ in range(200)]
    assert errors[-1] < 0.25 * errors[0]


def test_a_run_leaves_what_is_needed_to_judge_it(mixture: Mixture, head: HeadModel, tmp_path: Path) -> None:
    run(TINY, mixture, head, tmp_path)
    about = json.loads((tmp_path / ABOUT).read_text())
    assert about["settings"]["variant"] == "tiny-live"
    assert about["settings"]["images"] == 16
    curves = [json.loads(line) for line in (tmp_path / "curves.jsonl").read_text().splitlines()]
    assert [point["images"] for point in curves] == [4, 8, 12, 16]
    assert {"total", "reconstruction", "adversarial", "discriminator/real", "discriminator/fake"} <= set(curves[0])
    assert [path.name for path in sorted((tmp_path / SAMPLES).iterdir())] == ["00000008.jpg", "00000016.jpg"]
    assert load_average(tmp_path / LAST).variant == variant_of("tiny-live", flow=True)


def test_resuming_equals_never_having_stopped(mixture: Mixture, head: HeadModel, tmp_path: Path) -> None:
    whole = replace(TINY, decay=0.0)  # the rate must not fall yet at the first part's end
    once = run(whole, mixture, head, tmp_path / "once")
    run(replace(whole, images=8), mixture, head, tmp_path / "twice")
    again = run(whole, mixture, head, tmp_path / "twice")
    assert (again.images, again.steps) == (once.images, once.steps) == (16, 4)
    for name, value in once.generator.state_dict().items():
        assert torch.equal(value, again.generator.state_dict()[name]), name
    assert once.discriminator is not None
    assert again.discriminator is not None
    for a, b in zip(once.discriminator.parameters(), again.discriminator.parameters(), strict=True):
        assert torch.equal(a, b)


def test_another_configuration_is_refused(mixture: Mixture, head: HeadModel, tmp_path: Path) -> None:
    run(replace(TINY, images=4), mixture, head, tmp_path)
    with pytest.raises(ConfigError, match=r"regions = 4\.0 there, 2\.0 here"):
        run(replace(TINY, regions=2.0), mixture, head, tmp_path)


def test_nan_stops_the_run_and_keeps_the_checkpoint(
    mixture: Mixture, head: HeadModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(replace(TINY, images=8), mixture, head, tmp_path)
    before, draw = (tmp_path / LAST).read_bytes(), Mixture.batch

    def poisoned(self: Mixture, images: int, count: int, cross: float, part: tuple[int, int] = (0, 1)) -> Batch:
        batch = draw(self, images, count, cross, part)
        batch.target[0, 0, 0, 0] = np.nan
        return batch

    monkeypatch.setattr(Mixture, "batch", poisoned)
    with pytest.raises(DivergedError, match=r"not finite after 8 images .*reconstruction.*scene-"):
        run(replace(TINY, images=16), mixture, head, tmp_path)
    assert (tmp_path / LAST).read_bytes() == before


def test_a_batch_in_parts_teaches_the_same(mixture: Mixture, head: HeadModel) -> None:
    """The discriminator compares pictures within a group: without it, parts make no difference but rounding."""
    config = replace(TINY, weights={**TINY.weights, "adversarial": 0.0})
    whole, parts = (Training(start(config), replace(config, accumulate=n), ALONE) for n in (1, 2))
    objective = Objective(config, head, Judges())
    a = whole.step([mixture.batch(0, 4, 0.5)], objective)
    b = parts.step([mixture.batch(0, 4, 0.5, (k, 2)) for k in range(2)], objective)
    assert a["total"] == pytest.approx(b["total"], rel=1e-4)
    assert a["gradient_norm"] == pytest.approx(b["gradient_norm"], rel=1e-3)


def test_batches_that_cannot_be_shared_and_terms_without_a_network_are_refused(head: HeadModel) -> None:
    with pytest.raises(ConfigError, match="must be multiples of 2"):
        Training(start(TINY), replace(TINY, batch=6), Team(0, 2, torch.device("cpu")))
    with pytest.raises(ConfigError, match="mesh term has a weight and no network: give --regressor"):
        Objective(replace(TINY, weights={"mesh": 1.0}), head, Judges())


def test_settings_are_checked(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text("batch = 16\n[weights]\nidentity = 0\n")
    config = read_settings(GeneratorConfig, path, {"rate": 2e-3})
    assert (config.batch, config.rate, config.weight("identity"), config.weight("mesh")) == (16, 2e-3, 0, 0.1)
    for text, complaint in (
        ('variant = "huge"', "variant must be one of"),
        ("window = 100", "power of two"),
        ('precision = "int8"', "precision must be one of"),
        ("cross = 2", r"0…1"),
        ("flow = 1", "flow must be bool"),
    ):
        path.write_text(text)
        with pytest.raises(ConfigError, match=complaint):
            read_settings(GeneratorConfig, path, {})


def test_without_flow_the_photograph_stays_where_it_is(mixture: Mixture) -> None:
    generator = FarGenerator(variant_of("tiny-live", flow=False))
    batch = mixture.batch(0, 4, 0.5)
    output = generator(batch.photo, batch.layers, batch.drive)
    assert torch.all(output.flow == 0)
    torch.testing.assert_close(output.image, batch.photo, atol=1e-4, rtol=0)


def test_mixed_precision_trains(mixture: Mixture, head: HeadModel) -> None:
    config = replace(TINY, precision="bfloat16")
    training = Training(start(config), config, ALONE)
    terms = training.step([mixture.batch(0, 4, 0.5)], Objective(config, head, Judges()))
    assert np.isfinite(list(terms.values())).all()
    assert training.images == 4


TWO = """
import sys
from pathlib import Path
import torch
from engine.head import load_head
from tests.trainer.generator.conftest import TINY, mix
from trainer.generator.command import start
from trainer.generator.loop import train
from trainer.generator.objective import Judges, Objective
from trainer.generator.run import Training
from trainer.generator.scenes import SceneFolder
from trainer.training.distributed import team
torch.set_num_threads(1)
head = load_head()
with team() as together:
    training = Training(start(TINY), TINY, together)
    train(training, mix(SceneFolder(Path(sys.argv[1])), head), Objective(TINY, head, Judges()), Path(sys.argv[2]))
"""


def test_two_processes_train_as_one(
    scenes: SceneFolder, head: HeadModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under torchrun; rounding apart, for sums are taken in another order, and pictures are compared in pairs by both."""
    monkeypatch.setattr("trainer.generator.discriminator.GROUP", 1)
    run(TINY, mix(scenes, head), head, tmp_path / "one")
    script = tmp_path / "two.py"
    script.write_text("import trainer.generator.discriminator as d\nd.GROUP = 1\n" + TWO)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--master-port", str(port)]
    where = [str(script), str(tmp_path / "scenes"), str(tmp_path / "two")]
    subprocess.run([*torchrun, *where], env={**os.environ, "PYTHONPATH": str(Path.cwd())}, check=True, timeout=300)
    one, two = (load_average(tmp_path / name / LAST).state_dict() for name in ("one", "two"))
    for name, value in one.items():
        torch.testing.assert_close(value, two[name], atol=2e-4, rtol=2e-3, msg=name)
