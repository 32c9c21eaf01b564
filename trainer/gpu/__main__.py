"""``python -m trainer.gpu NAME DEVICE ANSWER``: one check in a process of its own, whose outcome goes into a file."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

import torch

from engine.files import write_text
from trainer.gpu.checks import perform
from trainer.gpu.context import CheckContext


def main(name: str, device: str, answer: str) -> None:
    """On the CPU in small."""
    outcome = perform(name, CheckContext(torch.device(device), small=device == "cpu"))
    write_text(Path(answer), json.dumps(asdict(outcome)))


if __name__ == "__main__":
    main(*sys.argv[1:])
