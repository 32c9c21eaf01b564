"""StyleGAN2 files are copied layer by layer, and never executed."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from engine.errors import InputError
from engine.generator.far import FarGenerator
from engine.generator.layers import StyleConv
from engine.generator.variants import LIVE, PAPER, TINY_LIVE, TINY_PAPER
from tests.trainer.stylegan2.files import MAPPING, State, W, write_nvlabs, write_rosinality
from trainer.stylegan2 import initialise, read_stylegan2
from trainer.stylegan2.pickles import Inert, read_pickle

WITHOUT_PRIORS = replace(TINY_PAPER, flow_prior=False, picture_prior=False)
Write = Callable[[Path], State]


@pytest.fixture(params=[("a.pkl", write_nvlabs), ("a.pt", write_rosinality)], ids=["nvlabs", "rosinality"])
def file(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, State]:
    name, write = request.param
    return tmp_path / name, write(tmp_path / name)


def fresh(variant: Any = TINY_PAPER) -> FarGenerator:
    torch.manual_seed(1)
    return FarGenerator(variant)


def conv(generator: FarGenerator, block: int, number: int) -> StyleConv:
    found = generator.get_submodule(f"blocks.{block}.convs.{number}")
    assert isinstance(found, StyleConv)
    return found


def test_where_shapes_agree_ours_are_theirs(file: tuple[Path, State]) -> None:
    path, state = file
    generator = fresh()
    initialise(generator, path)
    assert torch.equal(generator.constant[0], state["synthesis.b4.const"])
    for ours, theirs in ((1, MAPPING - 2), (2, MAPPING - 1)):
        layer = generator.get_submodule(f"mapping.layers.{ours}")
        assert torch.equal(layer.get_parameter("weight"), state[f"mapping.fc{theirs}.weight"])
        assert torch.equal(layer.get_parameter("bias"), state[f"mapping.fc{theirs}.bias"])
    for block, number, name in ((0, 0, "b4.conv1"), (1, 1, "b8.conv1"), (2, 1, "b16.conv1")):
        ours = conv(generator, block, number)
        assert torch.equal(ours.weight, state[f"synthesis.{name}.weight"])
        assert torch.equal(ours.bias, state[f"synthesis.{name}.bias"])
        assert torch.equal(ours.affine.weight, state[f"synthesis.{name}.affine.weight"])
        assert torch.equal(ours.affine.bias, state[f"synthesis.{name}.affine.bias"])


def transposed(x: Tensor, w: Tensor, state: State, name: str) -> Tensor:
    """StyleGAN2's doubling convolution, written out, before its blur."""
    style = w @ state[f"{name}.affine.weight"].t() / W**0.5 + state[f"{name}.affine.bias"]
    weight = state[f"{name}.weight"][None] * style[:, None, :, None, None]
    weight = weight * torch.rsqrt(weight.square().sum((2, 3, 4), keepdim=True) + 1e-8)
    return functional.conv_transpose2d(x, weight[0].transpose(0, 1), stride=2)


def test_the_first_convolution_of_a_block_begins_as_theirs_whatever_the_new_channels_hold(file: tuple[Path, State]) -> None:
    path, state = file
    generator = fresh()
    initialise(generator, path)
    ours, name = conv(generator, 1, 0), "synthesis.b8.conv0"
    kept = ours.weight[:, :16]
    assert torch.equal(kept, state[f"{name}.weight"].flip(2, 3))
    assert not ours.weight[:, 16:].any()
    x, w = torch.randn(1, 48, 6, 6), torch.randn(1, W)
    other = torch.cat([x[:, :16], torch.randn(1, 32, 6, 6)], 1)
    torch.testing.assert_close(ours(x, w), ours(other, w))
    # one bright pixel spreads in the directions of theirs: there the kernel itself is drawn, here too
    spot = torch.zeros(1, 48, 5, 5)
    spot[:, :16, 2, 2] = torch.randn(1, 16)
    drawn = transposed(spot[:, :16], w, state, name)[:, :, 4:7, 4:7]
    found = ours(spot, w)[:, :, 1:4, 1:4]
    wanted = functional.leaky_relu(drawn + state[f"{name}.bias"][:, None, None], 0.2) * 2**0.5
    torch.testing.assert_close(found, wanted, rtol=1e-3, atol=1e-4)


def test_colours_begin_as_theirs_at_the_mean_style_where_no_picture_prior_is(file: tuple[Path, State]) -> None:
    path, state = file
    generator, name = fresh(WITHOUT_PRIORS), "synthesis.b8.torgb"
    initialise(generator, path)
    features = torch.randn(1, 48, 3, 3)
    style = state["mapping.w_avg"] @ state[f"{name}.affine.weight"].t() / W**0.5 + state[f"{name}.affine.bias"]
    weight = state[f"{name}.weight"] * style[:, None, None] / 16**0.5  # as theirs, with its gain
    wanted = functional.conv2d(features[:, :16], weight, state[f"{name}.bias"])
    found = generator.get_submodule("blocks.1.heads")(features)[:, :3]
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-4)


def test_with_the_picture_prior_the_heads_still_start_at_zero(file: tuple[Path, State]) -> None:
    path, _ = file
    generator = fresh()
    report = initialise(generator, path)
    assert not generator.get_submodule("blocks.2.heads.to_rgb").get_parameter("weight").any()
    assert any("starts at zero" in line for line in report.lines())


def test_both_layouts_fill_the_generator_alike(tmp_path: Path) -> None:
    write_nvlabs(tmp_path / "a.pkl")
    write_rosinality(tmp_path / "a.pt")
    one, other = fresh(WITHOUT_PRIORS), fresh(WITHOUT_PRIORS)
    assert initialise(one, tmp_path / "a.pkl").count("copied") == initialise(other, tmp_path / "a.pt").count("copied")
    for a, b in zip(one.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(a, b)


def test_the_report_has_both_shapes_of_what_is_not_copied(file: tuple[Path, State]) -> None:
    path, _ = file
    generator = fresh(TINY_LIVE)
    before = {name: value.clone() for name, value in generator.state_dict().items()}
    report = initialise(generator, path)
    text = "\n".join(report.lines())
    assert "blocks.1.convs.0.weight (16 × 32 × 3 × 3) from" in text
    assert "mapping.layers.0.weight (16 × 261) from mapping layer 1, weight, 16 × 16: another shape" in text
    left = {entry.ours for entry in report.entries if entry.how == "not"}
    changed = {name for name, value in generator.state_dict().items() if not torch.equal(value, before[name])}
    assert changed
    assert not changed & left


@pytest.mark.parametrize(("variant", "whole", "part"), [(PAPER, 44, 21), (LIVE, 0, 0)])
def test_the_published_sizes_fit_the_paper_variant(variant: Any, whole: int, part: int) -> None:
    """Of StyleGAN2 at 512² with its published widths; shapes only."""
    from trainer.stylegan2.layouts import StyleGan2, StyleLayer
    from trainer.stylegan2.transfer import copy_weights

    def layer(inputs: int, outputs: int, kernel: int) -> StyleLayer:
        sizes = ((outputs, inputs, kernel, kernel), (outputs,), (inputs, 512), (inputs,))
        return StyleLayer("there", *(torch.zeros(size) for size in sizes))

    widths = {size: min(32768 // size, 512) for size in (4, 8, 16, 32, 64, 128, 256, 512)}
    convs = {(size, 1): layer(width, width, 3) for size, width in widths.items()}
    convs |= {(size, 0): layer(widths[size // 2], width, 3) for size, width in widths.items() if size > 4}
    mapping = ((torch.zeros(512, 512), torch.zeros(512)),) * 8
    theirs = StyleGan2(torch.zeros(1, 512, 4, 4), mapping, convs, {}, None)
    report = copy_weights(FarGenerator(variant), theirs)
    assert (report.count("copied"), report.count("in part")) == (whole, part)


class Malice:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


def test_a_malicious_pickle_does_nothing(tmp_path: Path) -> None:
    harm = tmp_path / "harm"
    assert pickle.loads(pickle.dumps(Malice(harm))) is None  # noqa: S301 - what an ordinary reader would do
    assert harm.exists()
    harm.rmdir()
    write_nvlabs(tmp_path / "a.pkl", {"augment_pipe": Malice(harm), "G_ema_2": [eval, os.system, Malice]})
    content = read_pickle(tmp_path / "a.pkl")
    assert isinstance(content["augment_pipe"], Inert)
    assert content["G_ema_2"] == [Inert, Inert, Inert]
    read_stylegan2(tmp_path / "a.pkl")
    assert not harm.exists()


def test_a_malicious_torch_file_is_refused(tmp_path: Path) -> None:
    harm = tmp_path / "harm"
    torch.save({"g_ema": Malice(harm)}, tmp_path / "a.pt")
    with pytest.raises(InputError, match="cannot be read"):
        read_stylegan2(tmp_path / "a.pt")
    (tmp_path / "b.pkl").write_bytes(pickle.dumps({"G_ema": Malice(harm)}))
    with pytest.raises(InputError, match="no whole StyleGAN2 generator"):
        read_stylegan2(tmp_path / "b.pkl")
    assert not harm.exists()


def test_placeholders_take_whatever_a_pickle_does_to_them(tmp_path: Path) -> None:
    path = tmp_path / "a.pkl"
    path.write_bytes(pickle.dumps({"a": np.arange(3), "b": {Path("x")}, "c": np.float64(2), "d": torch.nn.Linear(2, 2)}))
    content = read_pickle(path)
    assert content["a"].tolist() == [0, 1, 2]
    assert content["c"] == 2.0
    assert isinstance(content["d"], Inert)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.pkl", b"nothing", "must be a pickle of NVlabs"),
        ("a.pkl", pickle.dumps((1, 2, 3)), "has no G_ema"),
        ("a.pt", b"nothing", "must be a torch file"),
        ("a.pt", None, "no such file|cannot be read"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, name: str, content: bytes | None, message: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_stylegan2(tmp_path / name)


def test_a_checkpoint_without_an_average_or_without_layers_is_named(tmp_path: Path) -> None:
    torch.save({"g": {}}, tmp_path / "a.pt")
    with pytest.raises(InputError, match="has no g_ema"):
        read_stylegan2(tmp_path / "a.pt")
    torch.save({"g_ema": {"input.input": torch.zeros(1)}}, tmp_path / "a.pt")
    with pytest.raises(InputError, match=r"lacks 'conv1\.conv"):
        read_stylegan2(tmp_path / "a.pt")
