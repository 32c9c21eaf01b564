"""Memory that a step has freed serves the next one."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

# Page faults of taking, filling and freeing 64 MB ten times, after once: what was handed back is cleared again page by page.
FAULTS = """
import resource
import numpy as np
from trainer.__main__ import keep_memory
kept = {keep} and keep_memory()
def fill():
    block = np.empty(1 << 26, np.uint8)
    block.fill(1)
fill()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    fill()
print(kept, resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(*, keep: bool) -> tuple[str, int]:
    done = subprocess.run([sys.executable, "-c", FAULTS.format(keep=keep)], capture_output=True, text=True, check=True)
    kept, count = done.stdout.split()
    return kept, int(count)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be told")
def test_freed_memory_is_not_handed_back() -> None:
    kept, few = faults(keep=True)
    assert kept == "True"
    assert few * 5 < faults(keep=False)[1]
