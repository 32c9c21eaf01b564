"""Visemes heard in a spoken sentence, and files that are none of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.errors import InputError
from engine.visemes import BANDS, HOP, SILENCE, VISEME_NETWORK, VISEMES, VisemeRecogniser, log_bands, mel_filters


def test_answers_are_probabilities_and_quiet_is_silence() -> None:
    recogniser = VisemeRecogniser()
    answers = np.stack([recogniser.hear(np.zeros(HOP, np.float32)) for _ in range(50)])
    assert answers.shape == (50, len(VISEMES))
    assert np.allclose(answers.sum(1), 1, atol=1e-5)
    assert answers[20:, SILENCE].min() > 0.9


def test_a_tone_is_in_the_band_of_its_frequency() -> None:
    window = np.sin(2 * np.pi * 1000 * np.arange(1200) / 48000).astype(np.float32)
    loudest = int(log_bands(window[None])[0].argmax())
    assert mel_filters()[loudest].argmax() * 40 == pytest.approx(1000, abs=120)  # bins are 40 Hz apart
    assert mel_filters().shape == (BANDS, 601)


@pytest.mark.parametrize("kind", ["absent", "no archive", "another network", "not finite"])
def test_what_is_no_network_of_visemes_is_refused(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "visemes.npz"
    if kind == "no archive":
        path.write_bytes(b"not an archive")
    elif kind == "another network":
        np.savez(path, recurrent=np.zeros((6, 2), np.float16))
    elif kind == "not finite":
        with np.load(VISEME_NETWORK) as archive:
            parts = {name: archive[name] for name in archive.files}
        np.savez(path, **(parts | {"answer_bias": np.full(len(VISEMES), np.nan, np.float16)}))
    with pytest.raises(InputError, match="is no network of visemes"):
        VisemeRecogniser(path)
