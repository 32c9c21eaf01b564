"""Sets are written whole or not at all; batches depend on seed and images alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from engine.errors import InputError
from engine.head import HeadModel
from tests.trainer.regressor.conftest import make_example
from trainer.data.mirror import mirror_of
from trainer.regressor import examples as examples_module
from trainer.regressor.batches import RegressorMixture
from trainer.regressor.examples import ExampleSet, open_examples, write_examples


def test_what_is_written_is_read(head: HeadModel, tmp_path: Path) -> None:
    example = make_example(head, 2)
    assert write_examples(tmp_path / "a", [example]) == 1
    back = open_examples(tmp_path / "a")[0]
    np.testing.assert_array_equal(back.image, example.image)
    np.testing.assert_array_equal(back.z, example.z)
    assert back.person == example.person


def test_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no face was found"):
        write_examples(tmp_path / "a", [])
    with pytest.raises(InputError, match="does not hold an example set"):
        open_examples(tmp_path)


def test_a_full_disk_leaves_no_half_set(head: HeadModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(examples_module.np, "savez", full)
    with pytest.raises(InputError, match="No space left"):
        write_examples(tmp_path / "a", [make_example(head, 2)])
    assert list(tmp_path.iterdir()) == []


def test_labels_that_do_not_fit_are_refused(head: HeadModel, tmp_path: Path) -> None:
    write_examples(tmp_path / "a", [make_example(head, k) for k in range(2)])
    np.save(tmp_path / "a" / "images.npy", np.zeros((3, 32, 32, 3), np.uint8))
    with pytest.raises(InputError, match="do not fit its 3 images"):
        open_examples(tmp_path / "a")


def test_the_parts_of_a_batch_are_the_batch(examples: ExampleSet, head: HeadModel) -> None:
    mixture = RegressorMixture([examples, examples], [0.3, 0.7], mirror_of(head), 1, 32)
    whole = mixture.batch(64, 4)
    parts = [mixture.batch(64, 4, part) for part in ((0, 2), (1, 2))]
    assert torch.equal(whole.pictures, torch.cat([p.pictures for p in parts]))
    assert torch.equal(whole.targets.z, torch.cat([p.targets.z for p in parts]))
    assert whole.names == parts[0].names + parts[1].names
    assert not torch.equal(whole.pictures, mixture.batch(68, 4).pictures)


def test_shares_must_fit_the_sets(examples: ExampleSet, head: HeadModel) -> None:
    with pytest.raises(InputError, match="share above 0"):
        RegressorMixture([examples], [0.0], mirror_of(head), 1, 32)
