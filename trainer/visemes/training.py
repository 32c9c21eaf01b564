"""Trains the network that hears visemes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from torch import nn

from engine.values import Floats
from engine.visemes import BANDS, HOP, LOOK_AHEAD, VISEMES, WINDOW, log_bands
from trainer.head.build import write_npz
from trainer.visemes.sound import recorded
from trainer.visemes.speech import Labels, Utterance

HIDDEN = 96
LANES, STEPS = 32, 120  # streams that are heard side by side, and hops of each between two updates
LEARNING_RATE = 3e-3
NOT_YET = -100  # PyTorch's label for what does not count


class VisemeNetwork(nn.Module):
    """A gated recurrent unit over bands, and visemes of its state; ``engine.visemes`` runs it."""

    def __init__(self) -> None:
        super().__init__()
        self.recurrent = nn.GRU(BANDS, HIDDEN, batch_first=True)
        self.answer = nn.Linear(HIDDEN, len(VISEMES))

    def forward(self, bands: torch.Tensor, state: torch.Tensor | None = None) -> tuple[torch.Tensor, torch.Tensor]:
        """(N, T, 32) → scores (N, T, 15) and the last state."""
        states, last = self.recurrent(bands, state)
        return self.answer(states), last


def bands_of(samples: Floats) -> Floats:
    """(N,) → (N // 480, 32), as ``VisemeRecogniser`` takes them of block after block."""
    padded = np.concatenate([np.zeros(WINDOW - HOP, np.float32), samples])
    return log_bands(np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP])


def streams(said: list[Utterance], passes: int, rng: np.random.Generator, done: Callable[[], object]) -> tuple[Floats, Labels]:
    """All that is said, ``passes`` times in other rooms: bands (LANES, T, 32) and labels (LANES, T) of streams without an end."""
    others = [utterance.samples for utterance in said[:: max(1, len(said) // 100)]]
    bands, labels = [], []
    for number in np.concatenate([rng.permutation(len(said)) for _ in range(passes)]):
        heard = recorded(said[number], rng, others)
        bands.append(bands_of(heard.samples))
        labels.append(heard.labels)
        done()
    long_bands, long_labels = np.concatenate(bands), np.concatenate(labels)
    long_labels = np.concatenate([np.full(LOOK_AHEAD, NOT_YET), long_labels[:-LOOK_AHEAD]])
    length = len(long_labels) // LANES
    return long_bands[: LANES * length].reshape(LANES, length, BANDS), long_labels[: LANES * length].reshape(LANES, length)


def train(network: VisemeNetwork, bands: Floats, labels: Labels, epochs: int) -> Iterator[float]:
    """Trains the network on what ``streams`` made; after each epoch its loss [nats]."""
    updates = bands.shape[1] // STEPS
    optimiser = torch.optim.AdamW(network.parameters(), LEARNING_RATE, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, LEARNING_RATE, epochs * updates, pct_start=0.1)
    for _ in range(epochs):
        state: torch.Tensor | None = None
        losses = []
        for start in range(0, updates * STEPS, STEPS):
            scores, state = network(torch.from_numpy(bands[:, start : start + STEPS]), state)
            state = state.detach()
            wanted = torch.from_numpy(labels[:, start : start + STEPS])
            loss = nn.functional.cross_entropy(scores.flatten(0, 1), wanted.flatten())
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            losses.append(float(loss.detach()))
        yield float(np.mean(losses))


def save(network: VisemeNetwork, path: Path) -> None:
    """As ``engine.visemes`` reads it, in half precision."""
    weights = network.state_dict()
    parts = {
        "input": weights["recurrent.weight_ih_l0"],
        "input_bias": weights["recurrent.bias_ih_l0"],
        "recurrent": weights["recurrent.weight_hh_l0"],
        "recurrent_bias": weights["recurrent.bias_hh_l0"],
        "answer": weights["answer.weight"],
        "answer_bias": weights["answer.bias"],
    }
    write_npz({name: part.numpy().astype(np.float16) for name, part in parts.items()}, path)
