"""What all tests share: libraries that are set up as the program sets them up."""

from __future__ import annotations

import os

from engine.process import prepare_process

prepare_process()  # before numpy is imported, whose threads would wait for each other's work by computing
os.environ.setdefault("OMP_NUM_THREADS", "1")  # torch's do so, too, and more processes may test at once than there are CPUs
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # programs that tests start keep compiled modules, as a user's do
