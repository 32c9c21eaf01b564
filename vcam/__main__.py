"""``python -m vcam`` and ``hifihead``: prepares the process, then hands over to the command line."""

from __future__ import annotations

import io
import sys

from engine.process import prepare_process, quiet_native_code


def print_anything() -> None:
    """A terminal or file that knows no ✔ gets a question mark instead of ending the program (Windows, redirected)."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")


def main() -> None:
    """The console script; leaves with 0 done, 1 failed, 2 wrong use."""
    prepare_process()
    quiet_native_code()
    print_anything()
    from vcam.cli.app import run_command

    code = run_command(sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    sys.exit(code)


if __name__ == "__main__":
    main()
