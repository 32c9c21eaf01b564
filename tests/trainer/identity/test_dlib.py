"""dlib's file is read as dlib reads it, and what does not belong there is refused."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch.nn import functional

from engine.errors import InputError
from engine.picture import read_picture
from tests.trainer.identity.dlib_writer import OUTPUTS, WIDTHS, Writer, integer, integers, real, text
from trainer.identity import open_identity
from trainer.identity.dlib_file import read_dlib_network
from trainer.identity.dlib_network import DlibFaceNet, padded_sum

PUBLISHED = os.environ.get("DLIB_FACE_NETWORK")  # the file of the package face-recognition-models
MONA_LISA = Path(__file__).parents[3] / "engine" / "assets" / "portrait.jpg"
DLIBS_OWN = (-0.04104, 0.038759, 0.075689, -0.102702, -0.156467, 0.015499, 0.017071, -0.085325)


@pytest.fixture
def writer() -> Writer:
    return Writer()


@pytest.fixture
def path(writer: Writer, tmp_path: Path) -> Path:
    path = tmp_path / "tiny.dat"
    path.write_bytes(writer.whole())
    return path


def test_layers_are_read_in_the_order_of_computing(path: Path) -> None:
    file = read_dlib_network(path)
    block = ["con", "affine", "relu", "con", "affine"]
    stem, tail = ["con", "affine", "relu", "max_pool"], ["avg_pool", "fc"]
    kinds = [*stem, *block, "add_prev", "relu", *block, "avg_pool", "add_prev", "relu", *tail]
    assert [layer.kind for layer in file.layers] == kinds
    assert (file.side, file.mean.tolist()) == (30, [120, 110, 100])
    assert file.layers[0].numbers == (WIDTHS[0], 7, 7, 2, 2, 0, 0)


def test_the_network_computes_what_the_file_says(writer: Writer, path: Path) -> None:
    """Against the same steps written out."""
    chips = torch.rand(2, 3, 30, 30, generator=torch.Generator().manual_seed(0)) * 2 - 1
    kernels, shifts = ([torch.from_numpy(v) for v in values] for values in (writer.kernels, writer.shifts))
    x = ((chips + 1) * 127.5 - torch.tensor([120.0, 110, 100]).reshape(3, 1, 1)) / 256
    x = functional.max_pool2d(torch.relu(functional.conv2d(x, kernels[0], shifts[0], 2)), 3, 2)
    y = torch.relu(functional.conv2d(x, kernels[1], shifts[1], 1, 1))
    x = torch.relu(x + functional.conv2d(y, kernels[2], shifts[2], 1, 1))
    y = functional.conv2d(torch.relu(functional.conv2d(x, kernels[3], shifts[3], 2)), kernels[4], shifts[4], 1, 1)
    short_cut = functional.avg_pool2d(x, 2)
    wide = torch.zeros(2, 8, *short_cut.shape[2:])
    wide[:, :4] = short_cut
    wide[:, :, : y.shape[2], : y.shape[3]] += y
    wanted = torch.relu(wide).mean((2, 3)) @ torch.from_numpy(writer.projection)
    found = DlibFaceNet(path)(chips)
    assert found.shape == (2, OUTPUTS)
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-4)


def test_a_sum_of_unlike_sizes_is_as_large_as_the_larger() -> None:
    total = padded_sum(torch.ones(1, 2, 4, 3), torch.ones(1, 5, 3, 4))
    assert total.shape == (1, 5, 4, 4)
    assert float(total.sum()) == 2 * 4 * 3 + 5 * 3 * 4
    assert float(total[0, 4, 3, 3]) == 0


@pytest.mark.parametrize("keep", [0, 1, 40, 2_000, -1])
def test_a_file_that_is_cut_short_is_refused(path: Path, keep: int) -> None:
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(InputError, match=r"tiny\.dat must be a face recognition network saved by dlib"):
        open_identity(path)


@pytest.mark.parametrize(
    "content",
    [
        b"\x80\x04hello",
        integer(1) + text("loss_binary_log"),
        integer(1) + text("loss_metric_2") + real(0.1) * 2 + integers(*[2] * 2_000),
        integer(1) + text("loss_metric_2") + real(0.1) * 2 + integers(2, 9),
        integers(1, 10**12) + b"x",
    ],
)
def test_another_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other.dat"
    path.write_bytes(content)
    with pytest.raises(InputError, match="saved by dlib"):
        open_identity(path)


def test_bytes_after_the_network_are_refused(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(InputError, match="bytes are left over"):
        open_identity(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.dat cannot be read"):
        open_identity(tmp_path / "none.dat")


def test_another_network_of_dlib_is_refused(writer: Writer, tmp_path: Path) -> None:
    writer.block(3, 4, halves=False)
    path = tmp_path / "tail.dat"
    path.write_bytes(writer.whole())
    with pytest.raises(InputError, match="another network of dlib"):
        open_identity(path)


@pytest.mark.skipif(PUBLISHED is None, reason="DLIB_FACE_NETWORK is not set")
def test_the_published_network_gives_dlibs_own_numbers() -> None:
    """The first of the 128 that dlib 20.0.1 gives for this cut-out of the Mona Lisa."""
    assert PUBLISHED is not None
    chip = cv2.resize(read_picture(MONA_LISA)[130:450, 180:500], (150, 150), interpolation=cv2.INTER_AREA)
    found = open_identity(Path(PUBLISHED)).network(torch.from_numpy(chip).permute(2, 0, 1)[None].float() / 127.5 - 1)
    np.testing.assert_allclose(found[0, :8].numpy(), DLIBS_OWN, atol=1e-5)
