"""``python -m vcam`` and ``hifihead``: prepares the process, then hands over to the command line."""

from __future__ import annotations

import io
import signal
import sys


def print_anything() -> None:
    """A terminal or file that knows no ✔ gets a question mark instead of ending the program (Windows, redirected)."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")


def main() -> None:
    """The console script; leaves with 0 done, 1 failed, 2 wrong use, 128 + N ended by signal N."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # Python's own answer to Ctrl-C is the traceback of an import
    from engine.errors import HifiHeadError
    from engine.process import end_process, prepare_process, quiet_native_code  # here, because this takes a moment
    from vcam.signals import Interrupted, ignore_signals, loading

    try:
        with loading(sys.argv[1:]):
            prepare_process()
            quiet_native_code()
            print_anything()
            from vcam.cli.app import run_command

            code = run_command(sys.argv[1:])
            ignore_signals()
    except HifiHeadError as error:  # there is nowhere to keep what is compiled
        sys.stderr.write(f"Error: {error}\n")
        code = 1
    except Interrupted as interrupted:  # while the program was being loaded
        code = 128 + interrupted.number
    ignore_signals()
    end_process(code)


if __name__ == "__main__":
    main()
