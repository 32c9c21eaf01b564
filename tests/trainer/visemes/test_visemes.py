"""Training and measuring the network of visemes, small; the synthesisers themselves are run where they are installed."""

from __future__ import annotations

import ctypes.util
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.visemes import HOP, LOOK_AHEAD, RATE_HZ, SILENCE, VISEMES, VisemeRecogniser
from trainer.visemes.evaluation import confusion_rows, listen
from trainer.visemes.sound import NOISES, noise, recorded, resized
from trainer.visemes.speech import Espeak, Sound, Utterance, flite, utterance, visemes_of, with_closures
from trainer.visemes.training import NOT_YET, VisemeNetwork, bands_of, save, streams, train

AA, PP = VISEMES.index("aa"), VISEMES.index("PP")


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Of PyTorch, as the command has it."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def tone_after_silence() -> Utterance:
    """Half a second of nothing, half a second of a tone that stands for an "aa"."""
    samples = np.zeros(RATE_HZ, np.float32)
    samples[RATE_HZ // 2 :] = 0.3 * np.sin(2 * np.pi * 700 * np.arange(RATE_HZ // 2) / RATE_HZ)
    return Utterance(samples, np.where(np.arange(100) < 50, SILENCE, AA))


@pytest.mark.parametrize(
    ("sound", "first", "last"),
    [("p", "PP", "PP"), ("iː", "ih", "ih"), ("aɪ", "aa", "ih"), ("tʃ", "CH", "CH"), ("", "sil", "sil"), ("(en)", "sil", "sil")],
)
def test_phonemes_have_visemes_and_diphthongs_two(sound: str, first: str, last: str) -> None:
    assert visemes_of(sound) == (VISEMES.index(first), VISEMES.index(last))


def test_labels_follow_the_sounds_at_any_rate() -> None:
    said = utterance(np.zeros(16000, np.float32), 16000, [Sound("", 0.0), Sound("m", 0.2), Sound("a", 0.5)])
    assert len(said.samples) == RATE_HZ
    assert said.labels.tolist() == [SILENCE] * 20 + [PP] * 30 + [AA] * 50


def test_a_plosive_begins_with_the_silence_before_its_burst() -> None:
    samples = np.ones(1000, np.float32)
    samples[400:500] = 0
    moved = with_closures(samples, 1000, [Sound("a", 0.0), Sound("p", 0.5), Sound("a", 0.6)])
    assert [sound.start_s for sound in moved] == [0.0, pytest.approx(0.4), 0.6]


@pytest.mark.parametrize("kind", NOISES)
def test_noise_has_the_power_that_is_promised(kind: str) -> None:
    made = noise(kind, RATE_HZ, np.random.default_rng(0), [tone_after_silence().samples])
    assert made.shape == (RATE_HZ,)
    assert np.mean(made.astype(np.float64) ** 2) == pytest.approx(1, abs=0.01)


def test_what_is_recorded_keeps_its_labels_in_step() -> None:
    said = tone_after_silence()
    assert len(resized(said, 1.1).labels) == pytest.approx(100 / 1.1, abs=1)
    for seed in range(10):
        heard = recorded(said, np.random.default_rng(seed), [said.samples])
        assert len(heard.samples) == HOP * len(heard.labels)
        assert np.abs(heard.samples).max() <= 1


def test_streams_are_late_by_the_look_ahead() -> None:
    bands, labels = streams([tone_after_silence()] * 4, 4, np.random.default_rng(0), lambda: None)
    assert bands.shape[:2] == labels.shape
    assert labels[0, :LOOK_AHEAD].tolist() == [NOT_YET] * LOOK_AHEAD


@pytest.mark.usefixtures("one_thread")
def test_a_network_learns_and_runs_without_pytorch_as_with_it(tmp_path: Path) -> None:
    torch.manual_seed(0)
    rng, network = np.random.default_rng(0), VisemeNetwork()
    labels = np.repeat(rng.integers(0, 2, (32, 12)) * AA, 10, axis=1)
    bands = rng.normal(size=(*labels.shape, 32)).astype(np.float32) + (labels[..., None] == AA)
    losses = list(train(network, bands.astype(np.float32), labels, epochs=3))
    assert losses[-1] < losses[0]
    save(network, tmp_path / "visemes.npz")
    recogniser = VisemeRecogniser(tmp_path / "visemes.npz")
    samples = tone_after_silence().samples
    heard = np.stack([recogniser.hear(block) for block in samples.reshape(-1, HOP)])
    with torch.no_grad():
        scores, _ = network(torch.from_numpy(bands_of(samples)[None]))
    assert np.allclose(heard, scores.softmax(-1)[0].numpy(), atol=5e-3)  # weights are saved in half precision


@pytest.mark.skipif(ctypes.util.find_library("espeak-ng") is None, reason="espeak-ng is not installed")
def test_espeak_says_a_sentence_whose_visemes_the_network_hears() -> None:
    espeak = Espeak()
    said = [espeak.say(text, "en-us+f3") for text in ("My name is Emma.", "Good afternoon.")]
    assert np.array_equal(espeak.say("Good afternoon.", "en-us+f3").labels, said[1].labels)
    heard = listen(said)
    assert heard.accuracy > 0.5
    assert 0.02 <= heard.delay_s <= 0.06
    assert all(sum(row.values()) == pytest.approx(1) for row in confusion_rows(heard).values())


@pytest.mark.skipif(shutil.which("flite") is None, reason="flite is not installed")
def test_flite_says_a_sentence() -> None:
    said = flite("Bob may come.", "slt")
    assert {PP, AA, SILENCE} <= set(said.labels.tolist())
