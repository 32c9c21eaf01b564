"""Slots keep only the newest, statistics their percentiles, messages their patience."""

from __future__ import annotations

import pytest
import typer

from engine.errors import InputError
from tests.fakes import FakeClock, Said
from vcam.cli.values import parse_camera, parse_output, parse_pair, parse_set, parse_size
from vcam.messages import Messages, StrictMessages
from vcam.pipeline.slot import Slot
from vcam.stats import Rate, Stats, peak_memory_mb, resident_memory_mb


def test_a_slot_keeps_the_newest_and_counts_the_dropped() -> None:
    slot: Slot[int] = Slot()
    for number in range(5):
        slot.put(number)
    assert (slot.take(0), slot.take(0), slot.dropped) == (4, None, 4)


def test_a_closed_slot_returns_at_once() -> None:
    slot: Slot[int] = Slot()
    slot.close()
    assert slot.take(60.0) is None


def test_percentiles_are_per_stage_and_in_milliseconds() -> None:
    stats = Stats()
    for number in range(1, 101):
        stats.add("track", number / 1000)
    assert stats.table() == {"track": {"p50_ms": 50.5, "p95_ms": 95.05}}
    assert stats.percentiles_ms("never") is None
    stats.clear()
    assert stats.table() == {}


def test_the_rate_counts_the_last_seconds() -> None:
    rate = Rate(window_s=2.0)
    assert rate.per_second() == 0
    for number in range(100):
        rate.tick(number / 25)
    assert rate.per_second() == pytest.approx(25)


def test_memory_is_reported() -> None:
    assert 10 < resident_memory_mb() < 8000
    assert peak_memory_mb() > 10


def test_a_failing_attempt_is_one_sentence_every_ten_seconds() -> None:
    clock, said = FakeClock(), Said()
    messages = Messages(said, clock)

    def fail() -> None:
        raise RuntimeError("details that help nobody")

    for _ in range(120):
        assert messages.attempt("tracker", "Tracking the face", fail) is None
        clock.pass_time(0.1)
    assert len(said) == 2
    assert said[0] == "Tracking the face failed (RuntimeError); the camera goes on without it."
    assert messages.attempt("tracker", "x", lambda: 7) == 7


def test_our_own_errors_are_told_as_they_are() -> None:
    said = Said()

    def fail() -> None:
        raise InputError("wanted this, got that.")

    Messages(said, FakeClock()).attempt("x", "Doing it", fail)
    assert said == ["wanted this, got that."]
    with pytest.raises(InputError):
        StrictMessages(said, FakeClock()).attempt("x", "Doing it", fail)


def test_sizes() -> None:
    assert parse_size("512") == (512, 512)
    assert parse_size("1280x720") == parse_pair("1280X720") == (1280, 720)
    for wrong in ["", "x", "12x", "1280x721", "64x64", "9000x9000", "-5x10", "1280x720x3"]:
        with pytest.raises(typer.BadParameter):
            parse_size(wrong)
    with pytest.raises(typer.BadParameter):
        parse_pair("512")


def test_named_expressions() -> None:
    assert parse_set("jawOpen=0.5") == ("jawOpen", 0.5)
    for wrong, words in {
        "jawOpn=0.5": "did you mean jawOpen",
        "jawOpen": "NAME=VALUE",
        "jawOpen=x": "number from 0 to 1",
        "jawOpen=1.5": "from 0 to 1",
        "jawOpen=nan": "from 0 to 1",
    }.items():
        with pytest.raises(typer.BadParameter, match=words):
            parse_set(wrong)


def test_outputs_and_cameras() -> None:
    outputs = [None, "auto", "file:a.mp4", "virtual,pipewire", "preview,file:a,b:c.mp4"]
    assert [parse_output(text) for text in outputs] == outputs
    assert [parse_camera(text) for text in (None, "auto", "0", "a.mp4")] == [None, "auto", "0", "a.mp4"]
    for wrong in (
        "screen",
        "",
        "virtual,",
        "virtual:x",
        "virtual:",
        "file",
        "file:",
        "virtual,virtual",
        "auto,preview",
        "file,a.mp4",
    ):
        with pytest.raises(typer.BadParameter):
            parse_output(wrong)
    with pytest.raises(typer.BadParameter):
        parse_camera("")
