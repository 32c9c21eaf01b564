"""What is evaluated on: sequences of a clip, and rendered people where there are no clips and portraits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, count, dropwhile, islice
from pathlib import Path

import numpy as np
from av.error import FFmpegError

from engine.errors import InputError
from engine.files import replacing
from engine.portrait import load_portrait
from engine.track import Tracker
from engine.values import BLINKS, JAW_OPEN, Face, Floats, Picture
from engine.video import Frame, length_s, read_frames
from trainer.data.clips import Clip, Rejects, clips
from trainer.data.quality import MIN_FACE_PX
from trainer.data.shards import CROP_PX
from trainer.data.sheets import save_sheet
from trainer.data.synthetic import SyntheticHeads
from trainer.generator.evaluation.methods import Draw, Method
from trainer.generator.evaluation.models import EvaluationModels, FaceMeasurer, MeasuredFace
from trainer.generator.evaluation.pictures import VideoFile
from trainer.generator.subject import SourceSubject, only_face
from trainer.metrics.motion import SMILES

CALM = 0.35  # unrest of a face at rest: a third of a blink, or a turn by some 15°
_NOSE, _RIGHT_CHEEK, _LEFT_CHEEK = 1, 234, 454


def sampled_runs(path: Path, tracker: Tracker, most: int) -> list[Clip]:
    """At most ``most`` frames, evenly over a video, in runs that share a square; runs of one are left out. Raises InputError."""
    rate = (most - 0.5) / max(length_s(path), 1e-3)
    found = [run for run in _runs(path, read_frames(path, per_second=rate), tracker, most) if len(run.crops) > 1]
    if not found:
        raise InputError(f"{path}: no two of {most} frames show a face in one place; run more frames or a calmer clip.")
    return found


def longest_run(path: Path, tracker: Tracker, most: int) -> Clip:
    """The longest run in one square among ``most`` consecutive frames, from the first calm face on. Raises InputError."""
    frames = dropwhile(lambda frame: not _is_calm(tracker.find_all(frame.image)), read_frames(path))
    first = next(frames, None)
    found = read_frames(path) if first is None else chain([first], frames)
    return max(_runs(path, found, tracker, most), key=lambda run: len(run.crops))


def calmest(faces: Sequence[Face]) -> int:
    """The number of the face that is most like a portrait's: seen from the front, eyes open, mouth at rest."""
    return int(np.argmin([_unrest(face) for face in faces]))


def portrait_of(faces: Sequence[Face], features: Floats) -> int:
    """The number of the crop that is to be the source: of the calmer half, the one whose deep features (N, D) are most like all
    the others'. So it is not the one with a hand before the face."""
    calm = np.argsort([_unrest(face) for face in faces], kind="stable")[: (len(faces) + 1) // 2]
    apart = np.linalg.norm(features[calm, None] - features[None], axis=2).mean(1)
    return int(calm[np.argmin(apart)])


def _runs(path: Path, frames: Iterable[Frame], tracker: Tracker, most: int) -> list[Clip]:
    rejects = Rejects()
    found = list(clips(islice(frames, most), tracker, rejects))
    if not found:
        raise InputError(
            f"{path}: no face was found in {sum(rejects.reasons.values())} frames. Wanted: a clip with one face, at least "
            f"{MIN_FACE_PX} px high."
        )
    return found


def _is_calm(faces: list[Face]) -> bool:
    return bool(faces) and _unrest(faces[0]) < CALM


def _unrest(face: Face) -> float:
    x, scores = face.landmarks[:, 0], face.blendshapes
    aside = abs(2 * x[_NOSE] - x[_RIGHT_CHEEK] - x[_LEFT_CHEEK]) / max(abs(float(x[_LEFT_CHEEK] - x[_RIGHT_CHEEK])), 1.0)
    return float(aside + scores[BLINKS].mean() + scores[JAW_OPEN] + 0.5 * scores[SMILES].mean())


SEED, FPS = 11, 4.0
CLIP, PORTRAITS = "sitting.mp4", ("first.png", "second.png")


def render_test_people(folder: Path, frames: int) -> None:
    """Two portraits and a clip of a third person, into ``folder``. Raises InputError."""
    heads = SyntheticHeads(CROP_PX, SEED, split="test")
    with Tracker("picture") as tracker:
        *people, driver = islice((index for index in count() if _is_seen(heads, index, tracker)), len(PORTRAITS) + 1)
    folder.mkdir(parents=True, exist_ok=True)
    for name, index in zip(PORTRAITS, people, strict=True):
        save_sheet([heads.webcam_frames(index, 1)[0].image], folder / name)
    try:
        with replacing(folder / CLIP) as unfinished, VideoFile(unfinished, FPS) as film:
            for picture in heads.webcam_frames(driver, frames):
                film.add(picture.image)
    except (OSError, FFmpegError) as error:
        raise InputError(f"{folder / CLIP} cannot be written ({error}): free some space and run again.") from error


def _is_seen(heads: SyntheticHeads, index: int, tracker: Tracker) -> bool:
    """Whether the tracker takes the first picture of a rendered person for a face."""
    try:
        only_face(tracker, heads.webcam_frames(index, 1)[0].image)
    except InputError:
        return False
    return True


CLOSED = 0.6  # blink score of closed eyes, where a clip shows none


@dataclass(frozen=True, eq=False)
class HeldOutPortrait:
    """A portrait with everything that draws it. ``features``: of it and of its mirror image, for the Fréchet distance."""

    name: str
    measurer: FaceMeasurer
    subject: SourceSubject
    draws: Mapping[str, Draw]
    features: tuple[Floats, ...]


@dataclass(frozen=True, eq=False)
class DrivingClip:
    """Consecutive pictures (512, 512, 3) of somebody else, what is seen in each, and in the calmest."""

    name: str
    fps: float
    pictures: list[Picture]
    seen: list[MeasuredFace]
    rest: MeasuredFace

    @property
    def closed(self) -> Floats:
        """(2,) blink coefficients of the eyes when closed, left and right."""
        most = np.max([one.z.expression[BLINKS] for one in self.seen], axis=0)
        return np.asarray(np.maximum(most, CLOSED), np.float32)


def open_portrait(models: EvaluationModels, methods: Mapping[str, Method], path: Path) -> HeldOutPortrait:
    """Prepares a photograph for all methods. Raises InputError."""
    crop = load_portrait(path).crop
    try:
        measurer = FaceMeasurer(models, crop)
    except InputError as error:
        raise InputError(f"{path}: the face is not found again in the square around it; run another photograph.") from error
    subject = SourceSubject.fitted(models.head, crop, measurer.face)
    mirrored = np.ascontiguousarray(crop[:, ::-1])
    features = (measurer.first.features, models.features_of(mirrored))
    return HeldOutPortrait(path.stem, measurer, subject, {name: method(subject) for name, method in methods.items()}, features)


def open_driving_clip(models: EvaluationModels, path: Path, most: int) -> DrivingClip:
    """The longest run of frames in one square, among the first ``most``. Raises InputError."""
    run = longest_run(path, models.tracker, most)
    measurer = FaceMeasurer(models, run.crops[calmest(run.faces)])
    both = [(crop, seen) for crop in run.crops if (seen := measurer.look(crop)) is not None]
    if len(both) < 3:
        raise InputError(f"{path}: its first {most} frames show a face in one place for less than three frames.")
    fps = (len(run.times_s) - 1) / max(run.times_s[-1] - run.times_s[0], 1e-3)
    return DrivingClip(path.stem, fps, [crop for crop, _ in both], [seen for _, seen in both], measurer.first)
