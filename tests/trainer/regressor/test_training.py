"""A run goes on as if it had never stopped, refuses what is not its own, and stops at NaN."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.errors import ConfigError, InputError
from engine.head import HeadModel
from engine.values import COEFFICIENTS
from tests.trainer.identity.dlib_writer import Writer
from tests.trainer.regressor.conftest import SIZE
from trainer.data.mirror import mirror_of
from trainer.regressor.batches import RegressorMixture
from trainer.regressor.config import RegressorConfig
from trainer.regressor.examples import ExampleSet
from trainer.regressor.export import write_regressor
from trainer.regressor.network import RegressorNet
from trainer.regressor.objective import objective_of
from trainer.regressor.training import RegressorTraining, load_average, take_weights
from trainer.training.config import read_config
from trainer.training.distributed import ProcessGroup
from trainer.training.loop import LAST, DivergedError, train

ALONE = ProcessGroup(0, 1, torch.device("cpu"))
TINY = RegressorConfig(
    size=SIZE, images=24, batch=4, warm_up=4, rate=1e-3, checkpoint_every=8, report_every=8, half_life=8, workers=0
)


def run(network: RegressorNet, config: RegressorConfig, examples: ExampleSet, head: HeadModel, folder: Path) -> RegressorTraining:
    training = RegressorTraining(network, config, ALONE)
    train(training, RegressorMixture([examples], [1.0], mirror_of(head), config.seed, SIZE), objective_of(config, head), folder)
    return training


def fresh(examples: ExampleSet) -> RegressorNet:
    torch.manual_seed(0)
    net = RegressorNet("lite0", SIZE)
    net.normalise_by(examples.z)
    return net


@pytest.fixture
def short() -> RegressorConfig:
    return TINY.changed(images=12)


def test_resuming_equals_never_having_stopped(
    tiny: object, short: RegressorConfig, examples: ExampleSet, head: HeadModel, tmp_path: Path
) -> None:
    # the rate must not fall yet at the first part's end: only the plateau can be prolonged
    whole, part = (c.changed(decay=0.0) for c in (TINY, short))
    once = run(fresh(examples), whole, examples, head, tmp_path / "once")
    run(fresh(examples), part, examples, head, tmp_path / "twice")
    again = run(fresh(examples), whole, examples, head, tmp_path / "twice")
    assert again.images == once.images == 24
    for a, b in zip(once.network.state_dict().values(), again.network.state_dict().values(), strict=True):
        assert torch.equal(a, b)
    for a, b in zip(once.average.network.parameters(), again.average.network.parameters(), strict=True):
        assert torch.equal(a, b)


def test_training_lowers_the_loss_and_the_average_is_what_is_loaded(
    tiny: object, examples: ExampleSet, head: HeadModel, tmp_path: Path
) -> None:
    training = run(fresh(examples), TINY, examples, head, tmp_path)
    curves = [eval(line) for line in (tmp_path / "curves.jsonl").read_text().splitlines()]  # noqa: S307 - our own numbers
    assert len(curves) == 3
    assert curves[-1]["images"] == 24
    loaded = load_average(tmp_path / LAST)
    picture = torch.zeros(1, 3, SIZE, SIZE)
    torch.testing.assert_close(loaded(picture), training.average.network(picture))


def test_a_checkpoint_of_another_configuration_is_refused(
    tiny: object, short: RegressorConfig, examples: ExampleSet, head: HeadModel, tmp_path: Path
) -> None:
    run(fresh(examples), short, examples, head, tmp_path)
    other = short.changed(rate=5e-3)
    with pytest.raises(ConfigError, match=r"rate = 0.001 there, 0.005 here"):
        run(fresh(examples), other, examples, head, tmp_path)


def test_a_damaged_checkpoint_is_refused(tmp_path: Path) -> None:
    path = tmp_path / LAST
    path.write_bytes(b"half a file")
    with pytest.raises(InputError, match="not a checkpoint"):
        load_average(path)


def test_a_loss_that_is_no_number_stops_and_names_the_batch(
    tiny: object, short: RegressorConfig, examples: ExampleSet, head: HeadModel, tmp_path: Path
) -> None:
    run(fresh(examples), short, examples, head, tmp_path)
    before = (tmp_path / LAST).read_bytes()
    z = examples.z.copy()
    z[:, 100] = np.nan
    bad = ExampleSet("bad", examples.images, z, examples.trust, examples.landmarks, examples.person)
    with pytest.raises(DivergedError, match=r"not finite after 12 images .*expression.*bad\["):
        run(fresh(examples), TINY, bad, head, tmp_path)
    assert (tmp_path / LAST).read_bytes() == before


def test_a_fresh_run_may_start_from_a_checkpoint_or_an_exported_network(
    tiny: object, examples: ExampleSet, head: HeadModel, tmp_path: Path
) -> None:
    wanted = run(fresh(examples), TINY, examples, head, tmp_path / "run").average.network
    picture = torch.linspace(-1, 1, 3 * SIZE * SIZE).reshape(1, 3, SIZE, SIZE)
    taken = RegressorNet("lite0", SIZE)
    take_weights(taken, tmp_path / "run" / LAST)
    torch.testing.assert_close(taken(picture), wanted(picture))

    write_regressor(wanted, tmp_path / "exported", np.zeros(COEFFICIENTS, np.float32))
    exported = RegressorNet("lite0", SIZE)
    take_weights(exported, tmp_path / "exported")
    torch.testing.assert_close(exported(picture), wanted(picture))  # both rounded to halves

    with pytest.raises(InputError, match="backbone and picture size"):
        take_weights(RegressorNet("lite0", 2 * SIZE), tmp_path / "run" / LAST)


def test_settings_are_strict(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text("rate = 1e-4\n[weights]\ngaze = 3\n")
    config = read_config(RegressorConfig, path, {"batch": 8, "images": None})
    assert (config.rate, config.batch, config.weights["gaze"], config.weights["angle"]) == (1e-4, 8, 3, 3.0)
    for text, complaint in (
        ("rat = 1", "'rat' is unknown"),
        ("batch = 1.5", "batch must be a whole number"),
        ("rate = -1", "greater than 0"),
    ):
        path.write_text(text)
        with pytest.raises(ConfigError, match=complaint):
            read_config(RegressorConfig, path, {})
    with pytest.raises(ConfigError, match="unknown terms"):
        RegressorConfig(weights={"nose": 1.0})


def test_terms_without_labels_are_computed_when_they_have_a_weight(
    tiny: object, examples: ExampleSet, head: HeadModel, tmp_path: Path
) -> None:
    config = TINY.changed(images=8, weights={**TINY.weights, "photometric": 1.0})
    run(fresh(examples), config, examples, head, tmp_path)
    assert '"photometric"' in (tmp_path / "curves.jsonl").read_text()


def test_the_perceptual_term_opens_the_identity_network_that_is_named(
    tiny: object, examples: ExampleSet, head: HeadModel, tmp_path: Path
) -> None:
    path = tmp_path / "tiny.dat"
    path.write_bytes(Writer().whole())
    weights = {**TINY.weights, "perceptual": 1.0}
    config = TINY.changed(images=8, weights=weights, identity=str(path))
    run(fresh(examples), config, examples, head, tmp_path / "run")
    curves = [json.loads(line) for line in (tmp_path / "run" / "curves.jsonl").read_text().splitlines()]
    assert all(0 < point["perceptual"] < 2 for point in curves)


def test_a_batch_that_cannot_be_shared_is_refused(network: RegressorNet) -> None:
    with pytest.raises(ConfigError, match="take a multiple"):
        RegressorTraining(network, TINY, ProcessGroup(0, 3, torch.device("cpu")))


TWO = """
import sys
from pathlib import Path
import torch
from tests.trainer.regressor import conftest
from trainer.regressor import network
network.BACKBONES["lite0"] = conftest.TinyBackbone
from engine.head import load_head
from tests.trainer.regressor.test_training import TINY, fresh
from trainer.data.mirror import mirror_of
from trainer.regressor.batches import RegressorMixture
from trainer.regressor.examples import open_examples
from trainer.regressor.objective import objective_of
from trainer.regressor.training import RegressorTraining
from trainer.training.loop import train
from trainer.training.distributed import process_group
torch.set_num_threads(1)
examples = open_examples(Path(sys.argv[1]))
with process_group() as together:
    training = RegressorTraining(fresh(examples), TINY, together)
    objective = objective_of(TINY, load_head())
    train(training, RegressorMixture([examples], [1.0], mirror_of(load_head()), 0, TINY.size), objective, Path(sys.argv[2]))
"""


def test_two_processes_train_as_one(
    tiny: object, examples: ExampleSet, head: HeadModel, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Rounding apart: sums are taken in another order."""
    run(fresh(examples), TINY, examples, head, tmp_path / "one")
    script, folder = tmp_path / "two.py", tmp_path / "tiny"
    script.write_text(TWO)
    from trainer.regressor.examples import write_examples

    write_examples(folder, [examples[k] for k in range(len(examples))])
    environment = {**os.environ, "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "0", "PYTHONPATH": str(Path.cwd())}
    environment["MASTER_PORT"] = str(_free_port())
    processes = [
        subprocess.Popen(
            [sys.executable, str(script), str(folder), str(tmp_path / "two")],
            env={**environment, "RANK": str(rank), "LOCAL_RANK": str(rank)},
        )
        for rank in range(2)
    ]
    assert [p.wait(timeout=120) for p in processes] == [0, 0]
    one, two = (load_average(tmp_path / name / LAST).state_dict() for name in ("one", "two"))
    for name, value in one.items():
        torch.testing.assert_close(value, two[name], atol=2e-4, rtol=2e-3, msg=name)


def _free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
