"""How often the network hears the viseme that is said, how late, and how often it hears one in noise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.values import Floats
from engine.visemes import HOP, LOOK_AHEAD, RATE_HZ, SILENCE, VISEME_NETWORK, VISEMES, VisemeRecogniser
from trainer.generator.evaluation.report import Table
from trainer.visemes.sound import NOISES, noise
from trainer.visemes.speech import Utterance

LOUDNESS = 0.05  # root mean square of what is played
NOISY_DB = 15.0  # speech above pink noise
LATEST = 12  # hops; delays up to that are tried
NOISE_S = 8.0
SETTLING_S = 1.0  # of noise that begins suddenly, not counted


@dataclass(frozen=True)
class Heard:
    """What became of some utterances.

    confusion  (15, 15) hops in which a viseme (rows) was heard as another (columns)
    agreement  (13,) share of hops that agree when the answers are taken to be so many hops late
    """

    confusion: NDArray[np.int64]
    agreement: Floats

    @property
    def recalls(self) -> Floats:
        """(15,) share of each viseme's hops that are heard as it."""
        return np.asarray(np.diag(self.confusion) / np.maximum(self.confusion.sum(1), 1), np.float32)

    @property
    def accuracy(self) -> float:
        """Share of the hops of speech that are heard as what they are."""
        speech = np.arange(len(VISEMES)) != SILENCE
        return float(np.diag(self.confusion)[speech].sum() / max(1, self.confusion[speech].sum()))

    @property
    def delay_s(self) -> float:
        """By which the answers agree best, from a sound to the end of the block with its answer."""
        return float((np.argmax(self.agreement) + 1) * HOP / RATE_HZ)


def listen(said: Sequence[Utterance], network: Path = VISEME_NETWORK, snr_db: float | None = None) -> Heard:
    """Plays utterances to a new recogniser each, clean or in pink noise that is by ``snr_db`` weaker."""
    confusion = np.zeros((len(VISEMES), len(VISEMES)), np.int64)
    agreement = np.zeros(LATEST + 1)
    rng = np.random.default_rng(0)
    for utterance in said:
        samples = utterance.samples * (LOUDNESS / np.sqrt(np.mean(utterance.samples**2)))
        if snr_db is not None:
            samples = samples + noise("pink", len(samples), rng, []) * LOUDNESS * 10 ** (-snr_db / 20)
        padded = np.pad(samples, (0, LATEST * HOP))
        answers = probabilities(padded, network).argmax(1)
        count = len(utterance.labels)
        np.add.at(confusion, (utterance.labels, answers[LOOK_AHEAD : LOOK_AHEAD + count]), 1)
        agreement += [np.mean(answers[late : late + count] == utterance.labels) for late in range(LATEST + 1)]
    return Heard(confusion, np.asarray(agreement / len(said), np.float32))


def probabilities(samples: Floats, network: Path) -> Floats:
    """(N,) → (N // 480, 15), block after block as in a call."""
    recogniser = VisemeRecogniser(network)
    return np.stack([recogniser.hear(block) for block in samples.astype(np.float32).reshape(-1, HOP)])


def voiced_in_noise(network: Path, others: list[Floats]) -> dict[str, float]:
    """By kind of noise the share of hops that are more likely speech than not; at levels from −60 to −20 dB."""
    rng = np.random.default_rng(1)
    found = {}
    for kind in NOISES:
        shares = []
        for level_db in (-60, -45, -30, -20):
            samples = noise(kind, int(NOISE_S * RATE_HZ), rng, others) * 10 ** (level_db / 20)
            silent = probabilities(np.clip(samples, -1, 1), network)[int(SETTLING_S * RATE_HZ / HOP) :, SILENCE]
            shares.append(np.mean(silent < 0.5))
        found[kind] = float(np.mean(shares))
    return found


def evaluate(said: Mapping[str, Sequence[Utterance]], network: Path = VISEME_NETWORK) -> list[Table]:
    """``said``: utterances by what they have in common."""
    rows, tables = {}, []
    for name, utterances in said.items():
        heard, noisy = listen(utterances, network), listen(utterances, network, snr_db=NOISY_DB)
        rows[name] = {
            "hops": float(heard.confusion.sum()),
            "right": heard.accuracy,
            f"right at {NOISY_DB:.0f} dB": noisy.accuracy,
            "silence": float(heard.recalls[SILENCE]),
            "delay [ms]": 1000 * heard.delay_s,
        }
        tables.append(Table(f"{name}: heard as", "Rows: what is said; shares of its hops.", confusion_rows(heard)))
    noises = {kind: {"heard as speech": share} for kind, share in voiced_in_noise(network, babble(said)).items()}
    summary = Table("Visemes", "Shares of hops of 10 ms: of speech that are right, of pauses heard as pauses.", rows)
    return [summary, *tables, Table("Noise alone", "Share of hops, at −60 to −20 dB.", noises)]


def confusion_rows(heard: Heard) -> dict[str, dict[str, float]]:
    """Viseme → viseme → share, of those that were said."""
    total = heard.confusion.sum(1)
    return {
        said: {other: float(heard.confusion[row, column] / total[row]) for column, other in enumerate(VISEMES)}
        for row, said in enumerate(VISEMES)
        if total[row]
    }


def babble(said: Mapping[str, Sequence[Utterance]]) -> list[Floats]:
    """Voices for a babble of them."""
    return [utterance.samples for utterances in said.values() for utterance in utterances]
