"""What all tests share: libraries that are set up as the program sets them up."""

from __future__ import annotations

import os
import signal
import threading

from engine.process import prepare_process

prepare_process()  # before numpy is imported, whose threads would wait for each other's work by computing
os.environ.setdefault("OMP_NUM_THREADS", "1")  # torch's do so, too, and more processes may test at once than there are CPUs
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # programs that tests start keep compiled modules, as a user's do

if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it, and so would what it starts
