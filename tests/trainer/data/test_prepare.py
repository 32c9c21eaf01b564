"""Preparing photographs and videos: what is accepted, what is left out and why, what a second run does."""

from __future__ import annotations

import errno
import shutil
from itertools import islice
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from engine.errors import ConfigError, InputError
from engine.values import COEFFICIENTS, Coefficients, Picture
from trainer.cli import app
from trainer.data import shards
from trainer.data.inputs import Unit, find_items, group
from trainer.data.prepare import NOTES, PrepareConfig
from trainer.data.report import finish
from trainer.data.run import prepare
from trainer.data.shards import ShardFolder
from trainer.data.synthetic import SyntheticHeads

PORTRAIT = Path(__file__).parents[3] / "engine" / "assets" / "portrait.jpg"
FPS = 5


def heads() -> list[Picture]:
    """Six frames of one person, as a video would show them."""
    source = SyntheticHeads(320, seed=12, people=1)
    found = (source.sample(index) for index in range(40))
    calm = (sample.image for sample in found if np.abs(Coefficients.from_vector(sample.z).pose[:3]).max() < 0.35)
    return list(islice(calm, 6))


@pytest.fixture(scope="module")
def album(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A good photograph, one without a face, a cut-off file, an empty video and a good one."""
    folder = tmp_path_factory.mktemp("inputs") / "album"
    folder.mkdir()
    shutil.copy(PORTRAIT, folder / "portrait.jpg")
    cv2.imwrite(str(folder / "wall.png"), np.full((200, 300, 3), 130, np.uint8))
    (folder / "broken.jpg").write_bytes(PORTRAIT.read_bytes()[:5000])
    (folder / "empty.mp4").write_bytes(b"")
    with av.open(str(folder / "person.mp4"), "w") as file:
        stream = file.add_stream("mpeg4", rate=FPS)
        stream.width = stream.height = 320
        stream.bit_rate = 8_000_000
        for picture in heads():
            file.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        file.mux(stream.encode())
    return folder


@pytest.fixture(scope="module")
def prepared(album: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, Path]:
    """The album, prepared by the command: output folder, what was printed, preview."""
    out, sheet = tmp_path_factory.mktemp("prepared"), tmp_path_factory.mktemp("preview") / "sheet.png"
    result = CliRunner().invoke(app, ["prepare", str(album), "--out", str(out), "--workers", "1", "--preview", str(sheet)])
    assert result.exit_code == 0, result.output
    return out, result.output, sheet


def test_good_pictures_become_crops_with_labels(prepared: tuple[Path, str, Path]) -> None:
    crops = list(ShardFolder(prepared[0]))
    video = [crop for crop in crops if crop.source.endswith("person.mp4")]
    photo = [crop for crop in crops if crop.source.endswith("portrait.jpg")]

    assert len(photo) == 1
    assert len(video) >= 4
    assert len({crop.person for crop in video}) == 1
    assert photo[0].person not in {crop.person for crop in video}
    assert [crop.time_s for crop in video] == sorted(crop.time_s for crop in video)
    for crop in crops:
        assert crop.image.shape == (512, 512, 3)
        assert crop.z.shape == (COEFFICIENTS,)
        assert np.isfinite(crop.z).all()
        assert 0.25 <= crop.quality <= 1
        height = np.ptp(crop.landmarks[:, 1])
        assert 512 / 2.1 * 0.7 < height < 512 / 2.1 * 1.4  # framed as the camera frames


def test_bad_files_are_skipped_counted_and_listed(prepared: tuple[Path, str, Path]) -> None:
    out, printed, _ = prepared
    listed = (out / "skipped.txt").read_text(encoding="utf-8")

    assert "3 files gave nothing" in printed
    assert "no face found" in printed
    assert "album/broken.jpg: " in listed
    assert "cut off" in listed
    assert "album/empty.mp4: " in listed
    assert "album/wall.png: 1 × no face found" in listed


def test_the_preview_shows_what_was_accepted_and_left_out(prepared: tuple[Path, str, Path]) -> None:
    sheet = cv2.imread(str(prepared[2]))

    assert sheet is not None
    assert sheet.shape[0] >= 2 * 110
    assert sheet[:96, :96].std() > 20  # a photograph


def test_a_second_run_does_nothing_again(album: Path, prepared: tuple[Path, str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise AssertionError("done already")

    monkeypatch.setattr("trainer.data.run.UnitPreparer", fail)
    notes = prepare(group(find_items([album])), prepared[0], PrepareConfig())

    assert sum(note.accepted for note in notes) == len(ShardFolder(prepared[0]))


def test_an_interrupted_run_ends_like_one_without_interruption(
    album: Path, prepared: tuple[Path, str, Path], tmp_path: Path
) -> None:
    out = tmp_path / "copy"
    shutil.copytree(prepared[0], out)
    whole = {path.name: path.read_bytes() for path in (out / "train").iterdir()}
    unit = next(unit for unit in group(find_items([album])) if unit.items[0].name.endswith("person.mp4"))
    (out / NOTES / f"{unit.key}.json").unlink()
    (out / "train" / f"{unit.key}-000.npz").unlink()

    prepare(group(find_items([album])), out, PrepareConfig(), workers=1)

    assert {path.name: path.read_bytes() for path in (out / "train").iterdir()} == whole


def test_other_settings_are_refused_with_both_named(prepared: tuple[Path, str, Path]) -> None:
    with pytest.raises(ConfigError, match=r"5\.0.*2\.0"):
        prepare([], prepared[0], PrepareConfig(frames_per_second=2.0))


def test_a_full_disk_ends_the_run_and_leaves_nothing_half_done(
    album: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(file: Any, **arrays: Any) -> None:
        file.write(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(shards.np, "savez", full)
    with pytest.raises(InputError, match="No space left"):
        prepare(group(find_items([album / "portrait.jpg"])), tmp_path, PrepareConfig(), workers=1)

    assert list((tmp_path / "train").iterdir()) == []
    assert not (tmp_path / NOTES).exists()


def test_no_face_anywhere_is_an_error(album: Path, tmp_path: Path) -> None:
    notes = prepare(group(find_items([album / "wall.png"])), tmp_path, PrepareConfig(), workers=1)
    with pytest.raises(InputError, match=r"no usable face.*wall\.png"):
        finish(notes, tmp_path)


def test_a_missing_cluster_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    with pytest.raises(ConfigError, match=r"hifihead-cam\[cluster\]"):
        prepare([Unit("k", ())], tmp_path, PrepareConfig(), ray_address="auto")


@pytest.mark.timeout(400)
@pytest.mark.filterwarnings("default")  # Ray warns of its own ways
def test_ray_gives_the_same_bytes_as_local_workers(album: Path, tmp_path: Path) -> None:
    ray = pytest.importorskip("ray", reason="the extra 'cluster' is not installed")
    units = group(find_items([album]))
    notes = prepare(units, tmp_path / "local", PrepareConfig(), workers=2)
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    try:
        assert prepare(units, tmp_path / "ray", PrepareConfig(), ray_address="local") == notes
    finally:
        ray.shutdown()

    local, cluster = (
        {path.name: path.read_bytes() for path in (tmp_path / place / "train").iterdir()} for place in ("local", "ray")
    )
    assert local == cluster
