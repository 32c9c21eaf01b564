"""The training itself: it learns, goes on as if it had never stopped, is the same on two processes, and stops at NaN."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.errors import ConfigError
from engine.generator.far import FarGenerator
from engine.head import HeadModel
from tests.trainer.generator.conftest import TINY, mix
from trainer.generator.batches import GeneratorBatch, GeneratorMixture, WindowedPair
from trainer.generator.commands import start
from trainer.generator.config import GeneratorConfig
from trainer.generator.objective import GeneratorObjective, LossNetworks
from trainer.generator.scenes import SceneFolder
from trainer.generator.training import GeneratorTraining, load_average, variant_of
from trainer.training.config import read_config
from trainer.training.distributed import ProcessGroup
from trainer.training.loop import LAST, SAMPLES, DivergedError, train
from trainer.training.provenance import ABOUT

ALONE = ProcessGroup(0, 1, torch.device("cpu"))


def run(config: GeneratorConfig, mixture: GeneratorMixture, head: HeadModel, folder: Path) -> GeneratorTraining:
    training = GeneratorTraining(start(config), config, ALONE)
    train(training, mixture, GeneratorObjective(config, head, LossNetworks()), folder)
    return training


def test_one_pair_is_learned_by_heart_in_200_steps(mixture: GeneratorMixture, head: HeadModel) -> None:
    config = TINY.changed(batch=1, cross=0.0, images=200, rate=4e-3, weights={**TINY.weights, "adversarial": 0.0})
    training, objective = GeneratorTraining(start(config), config, ALONE), GeneratorObjective(config, head, LossNetworks())
    pair = mixture.batch(0, 1, 0.0)
    errors = [training.step([pair], objective)["reconstruction"] for _ in range(200)]
    assert errors[-1] < 0.25 * errors[0]


def test_a_run_leaves_what_is_needed_to_judge_it(mixture: GeneratorMixture, head: HeadModel, tmp_path: Path) -> None:
    run(TINY, mixture, head, tmp_path)
    about = json.loads((tmp_path / ABOUT).read_text())
    assert about["settings"]["variant"] == "tiny-live"
    assert about["settings"]["images"] == 16
    curves = [json.loads(line) for line in (tmp_path / "curves.jsonl").read_text().splitlines()]
    assert [point["images"] for point in curves] == [4, 8, 12, 16]
    assert {"total", "reconstruction", "adversarial", "discriminator/real", "discriminator/fake"} <= set(curves[0])
    assert [path.name for path in sorted((tmp_path / SAMPLES).iterdir())] == ["00000008.jpg", "00000016.jpg"]
    assert load_average(tmp_path / LAST).variant == variant_of("tiny-live", flow=True)


def test_resuming_equals_never_having_stopped(mixture: GeneratorMixture, head: HeadModel, tmp_path: Path) -> None:
    whole = TINY.changed(decay=0.0)  # the rate must not fall yet at the first part's end
    once = run(whole, mixture, head, tmp_path / "once")
    run(whole.changed(images=8), mixture, head, tmp_path / "twice")
    again = run(whole, mixture, head, tmp_path / "twice")
    assert (again.images, again.steps) == (once.images, once.steps) == (16, 4)
    for name, value in once.generator.state_dict().items():
        assert torch.equal(value, again.generator.state_dict()[name]), name
    assert once.discriminator is not None
    assert again.discriminator is not None
    for a, b in zip(once.discriminator.parameters(), again.discriminator.parameters(), strict=True):
        assert torch.equal(a, b)


def test_another_configuration_is_refused(mixture: GeneratorMixture, head: HeadModel, tmp_path: Path) -> None:
    run(TINY.changed(images=4), mixture, head, tmp_path)
    with pytest.raises(ConfigError, match=r"regions = 4\.0 there, 2\.0 here"):
        run(TINY.changed(regions=2.0), mixture, head, tmp_path)


def test_nan_stops_the_run_and_keeps_the_checkpoint(
    mixture: GeneratorMixture, head: HeadModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(TINY.changed(images=8), mixture, head, tmp_path)
    before, collate = (tmp_path / LAST).read_bytes(), GeneratorMixture.collate

    def poisoned(self: GeneratorMixture, examples: Sequence[WindowedPair]) -> GeneratorBatch:
        batch = collate(self, examples)
        batch.target[0, 0, 0, 0] = np.nan
        return batch

    monkeypatch.setattr(GeneratorMixture, "collate", poisoned)
    with pytest.raises(DivergedError, match=r"not finite after 8 images .*reconstruction.*scene-"):
        run(TINY.changed(images=16), mixture, head, tmp_path)
    assert (tmp_path / LAST).read_bytes() == before


def test_a_batch_in_parts_teaches_the_same(mixture: GeneratorMixture, head: HeadModel) -> None:
    """The discriminator compares pictures within a group: without it, parts make no difference but rounding."""
    config = TINY.changed(weights={**TINY.weights, "adversarial": 0.0})
    whole, parts = (GeneratorTraining(start(config), config.changed(accumulate=n), ALONE) for n in (1, 2))
    objective = GeneratorObjective(config, head, LossNetworks())
    a = whole.step([mixture.batch(0, 4, 0.5)], objective)
    b = parts.step([mixture.batch(0, 4, 0.5, (k, 2)) for k in range(2)], objective)
    assert a["total"] == pytest.approx(b["total"], rel=1e-4)
    assert a["gradient_norm"] == pytest.approx(b["gradient_norm"], rel=1e-3)


def test_batches_that_cannot_be_shared_and_terms_without_a_network_are_refused(head: HeadModel) -> None:
    with pytest.raises(ConfigError, match="must be multiples of 2"):
        GeneratorTraining(start(TINY), TINY.changed(batch=6), ProcessGroup(0, 2, torch.device("cpu")))
    with pytest.raises(ConfigError, match="mesh term has a weight and no network: give --regressor"):
        GeneratorObjective(TINY.changed(weights={"mesh": 1.0}), head, LossNetworks())


def test_settings_are_checked(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text("batch = 16\n[weights]\nidentity = 0\n")
    config = read_config(GeneratorConfig, path, {"rate": 2e-3})
    assert (config.batch, config.rate, config.weight("identity"), config.weight("mesh")) == (16, 2e-3, 0, 0.1)
    for text, complaint in (
        ('variant = "huge"', "variant must be one of"),
        ("window = 100", "power of two"),
        ('precision = "int8"', "precision must be one of"),
        ("cross = 2", "cross must be at most 1; got 2"),
        ("wondow = 8", r"'wondow' is unknown; there are images, batch, .*window"),
        ("[weights]\nnose = 1", "weights has unknown terms"),
        ("flow = 1", "flow must be true or false; got 1"),
    ):
        path.write_text(text)
        with pytest.raises(ConfigError, match=complaint):
            read_config(GeneratorConfig, path, {})


def test_without_flow_the_photograph_stays_where_it_is(mixture: GeneratorMixture) -> None:
    generator = FarGenerator(variant_of("tiny-live", flow=False))
    batch = mixture.batch(0, 4, 0.5)
    output = generator(batch.photo, batch.layers, batch.drive)
    assert torch.all(output.flow == 0)
    half_a_level = 0.5 / 127.5  # the photograph is smaller here, and its foreground is kept in whole levels
    torch.testing.assert_close(output.image, batch.photo, atol=half_a_level + 1e-4, rtol=0)


def test_mixed_precision_trains(mixture: GeneratorMixture, head: HeadModel) -> None:
    config = TINY.changed(precision="bfloat16")
    training = GeneratorTraining(start(config), config, ALONE)
    terms = training.step([mixture.batch(0, 4, 0.5)], GeneratorObjective(config, head, LossNetworks()))
    assert np.isfinite(list(terms.values())).all()
    assert training.images == 4


TWO = """
import sys
from pathlib import Path
import torch
from engine.head import load_head
from tests.trainer.generator.conftest import TINY, mix
from trainer.generator.commands import start
from trainer.training.loop import train
from trainer.generator.objective import GeneratorObjective, LossNetworks
from trainer.generator.training import GeneratorTraining
from trainer.generator.scenes import SceneFolder
from trainer.training.distributed import process_group
torch.set_num_threads(1)
head = load_head()
with process_group() as together:
    training = GeneratorTraining(start(TINY), TINY, together)
    train(training, mix(SceneFolder(Path(sys.argv[1])), head), GeneratorObjective(TINY, head, LossNetworks()), Path(sys.argv[2]))
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
    where = [str(script), str(scenes.folder), str(tmp_path / "two")]
    subprocess.run([*torchrun, *where], env={**os.environ, "PYTHONPATH": str(Path.cwd())}, check=True, timeout=300)
    one, two = (load_average(tmp_path / name / LAST).state_dict() for name in ("one", "two"))
    for name, value in one.items():
        torch.testing.assert_close(value, two[name], atol=2e-4, rtol=2e-3, msg=name)
