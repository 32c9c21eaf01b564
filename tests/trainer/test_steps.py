"""Steps: done once, again when something before them changed, and a failure names where to go on."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from engine.errors import ConfigError, HifiHeadError, InputError
from trainer.steps import RECORD, Step, StepRecord, run_steps

SIZES = {"heads": 3}


class World:
    """Three steps that write a file each, and what they did."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.did, self.failing = folder, list[str](), ""

    def step(self, name: str, inputs: str = "") -> Step:
        def work() -> None:
            if name == self.failing:
                raise InputError("no face was found.")
            self.did.append(name)
            (self.folder / name).write_text(name)

        return Step(name, self.folder / name, 0.01, work, inputs)

    def run(self, *inputs: str) -> str:
        """One call of the program; what it printed."""
        self.did = []
        console = Console(file=io.StringIO(), width=200)
        steps = [self.step(name, given) for name, given in zip(("data", "train", "judge"), inputs or ("", "", ""), strict=True)]
        run_steps(steps, StepRecord(self.folder, SIZES), console)
        assert isinstance(console.file, io.StringIO)
        return console.file.getvalue()


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_steps_are_done_in_order_and_once(world: World) -> None:
    assert "minutes" in world.run()
    assert world.did == ["data", "train", "judge"]
    printed = world.run()
    assert world.did == []
    assert "[2/3] train: done" in printed


def test_a_failing_step_stops_everything_and_the_next_call_goes_on_there(world: World) -> None:
    world.failing = "train"
    with pytest.raises(HifiHeadError, match=r"^Step 2, train: no face was found\. The same command goes on here\.$"):
        world.run()
    assert world.did == ["data"]
    world.failing = ""
    world.run()
    assert world.did == ["train", "judge"]


def test_after_a_step_that_was_done_again_all_later_ones_are(world: World) -> None:
    world.run()
    (world.folder / "train").unlink()
    world.run()
    assert world.did == ["train", "judge"]
    world.run("", "", "other media")
    assert world.did == ["judge"]


def test_a_folder_begun_otherwise_is_refused(world: World) -> None:
    world.run()
    with pytest.raises(ConfigError, match=r"was begun otherwise \(heads = 3\): take another --folder"):
        StepRecord(world.folder, {"heads": 4})


def test_a_damaged_record_is_refused(world: World) -> None:
    (world.folder / RECORD).write_text("{")
    with pytest.raises(InputError, match=r"steps\.json cannot be read"):
        StepRecord(world.folder, SIZES)
