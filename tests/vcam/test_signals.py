"""Signals end what is going on once, whatever becomes of the exception on its way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import pytest

from vcam.signals import Interrupted, ending, ignore_signals, interrupting, loading

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals to oneself are POSIX's")
NUMBERS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


def interrupted_by(number: signal.Signals, closing: list[str], made_of_it: BaseException | None = None) -> None:
    """Is interrupted, and once more while it closes."""
    with interrupting():
        try:
            os.kill(os.getpid(), number)
            signal.sigtimedwait([], 5)
        except Interrupted:
            if made_of_it is not None:
                raise made_of_it from None
            raise
        finally:
            os.kill(os.getpid(), number)
            closing.append("closed")


@pytest.mark.parametrize("number", NUMBERS)
def test_the_first_signal_interrupts_and_others_do_not_disturb_the_closing(number: signal.Signals) -> None:
    before, closing = signal.getsignal(number), list[str]()
    with pytest.raises(Interrupted, match=number.name) as interrupted:
        interrupted_by(number, closing)
    assert closing == ["closed"]
    assert interrupted.value.number == number
    assert signal.getsignal(number) is before


@pytest.mark.parametrize("made_of_it", [ImportError("cannot be imported"), SystemExit(1)])
def test_an_interruption_is_one_also_when_a_library_makes_something_else_of_it(made_of_it: BaseException) -> None:
    with pytest.raises(Interrupted):
        interrupted_by(signal.SIGTERM, [], made_of_it)


def test_a_signal_while_the_camera_is_being_loaded_ends_the_process_at_once() -> None:
    program = (
        "import os, signal, vcam.signals as s\nwith s.loading(['--verbose', 'run']): os.kill(os.getpid(), 15)\nprint('went on')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    with pytest.raises(Interrupted), loading(["render"]):
        os.kill(os.getpid(), signal.SIGTERM)


def test_ctrl_c_before_anything_is_loaded_ends_the_process_without_a_word() -> None:
    """The first thing that the program loads sends it."""
    program = (
        "import os, signal, sys, types; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "first = types.ModuleType('engine.process'); first.__getattr__ = lambda _name: os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.modules['engine.process'] = first\nfrom vcam.__main__ import main\nmain()"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "", "")


def test_other_failures_are_left_alone() -> None:
    with pytest.raises(ImportError), interrupting():
        raise ImportError("really")


@pytest.mark.parametrize("number", NUMBERS)
def test_where_signals_only_set_an_event_nothing_is_raised(number: signal.Signals) -> None:
    with ending() as ended:
        os.kill(os.getpid(), number)
        assert ended.wait(5)


def test_what_is_ignored_stays_ignored_and_other_threads_change_nothing() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with interrupting():
            os.kill(os.getpid(), signal.SIGHUP)  # as under nohup
        seen: list[bool] = []

        def elsewhere() -> None:
            with ending() as ended:
                seen.append(ended.is_set())

        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
        assert seen == [False]
    finally:
        signal.signal(signal.SIGHUP, before)


def test_after_the_work_a_signal_changes_nothing() -> None:
    before = [signal.getsignal(number) for number in NUMBERS]
    try:
        with interrupting():
            ignore_signals()
        os.kill(os.getpid(), signal.SIGTERM)
    finally:
        for number, handler in zip(NUMBERS, before, strict=True):
            signal.signal(number, handler)
