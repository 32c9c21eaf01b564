"""All checks one after another, each in a process of its own: what one breaks, hangs on or lacks is no other's trouble."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

from engine.files import write_text
from trainer.gpu.checks import CHECKS, Outcome

BUDGET_S = 570.0  # for all of them
DATA, TEXT = "report.json", "report.md"

RunOne = Callable[[str, str, float], Outcome]  # name, device, limit [s]


def run_checks(
    names: Sequence[str], device: str, run_one: RunOne, clock: Callable[[], float] = time.monotonic
) -> Iterator[Outcome]:
    """Each outcome as soon as it is known. What the budget does not reach has failed."""
    end_s = clock() + BUDGET_S
    for name in names:
        limit_s = min(CHECKS[name].limit_s, end_s - clock())
        if limit_s <= 0:
            yield Outcome(name, "failed", 0.0, f"not reached within {BUDGET_S:.0f} s")
        else:
            yield run_one(name, device, limit_s)


def in_process_of_its_own(name: str, device: str, limit_s: float) -> Outcome:
    """The outcome of ``python -m trainer.gpu``."""
    with TemporaryDirectory() as folder:
        answer = Path(folder) / "outcome.json"
        command = [sys.executable, "-m", "trainer.gpu", name, device, str(answer)]
        began_s = time.monotonic()
        try:
            ended = subprocess.run(command, capture_output=True, text=True, timeout=limit_s, check=False)
        except subprocess.TimeoutExpired:
            return Outcome(name, "failed", round(limit_s, 1), f"not done after {limit_s:.0f} s")
        if not answer.exists():
            said = ended.stderr.strip().splitlines()[-1:] or ["without a word"]
            return Outcome(name, "failed", round(time.monotonic() - began_s, 1), f"ended with {ended.returncode}: {said[0]}")
        return Outcome(**json.loads(answer.read_text(encoding="utf-8")))


def write_report(out: Path, device: str, outcomes: Sequence[Outcome]) -> None:
    """report.json for programs and report.md for people. Raises OSError."""
    out.mkdir(parents=True, exist_ok=True)
    content = {"device": device, "proven": all(one.proven for one in outcomes), "checks": [asdict(one) for one in outcomes]}
    write_text(out / DATA, json.dumps(content, indent=1) + "\n")
    write_text(
        out / TEXT, "\n".join(["# What this machine proves", "", *(line for one in outcomes for line in lines(one))]) + "\n"
    )


def lines(one: Outcome) -> list[str]:
    """One check, for people."""
    mark = {"ok": "✔", "failed": "✘", "absent": "–"}[one.status]
    head = f"- {mark} **{one.name}** ({one.seconds:.0f} s): {CHECKS[one.name].what}"
    return [f"{head}: {one.reason}" if one.reason else head, *(f"    - {name}: {value}" for name, value in one.measures.items())]
