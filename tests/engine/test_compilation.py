"""What is compiled is told, once; what was compiled is loaded without a word."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PROGRAM = """
import sys
sys.path.insert(0, {folder!r})
from engine.compilation import compilation_told
import doubled
with compilation_told(lambda: print("told")):
    doubled.twice(1)
    doubled.twice(1.5)
doubled.twice(1j)
"""
COMPILED = "import numba\n\n\n@numba.njit(cache=True)\ndef twice(x):\n    return 2 * x\n"


def test_only_the_first_start_tells_of_compiling(tmp_path: Path) -> None:
    (tmp_path / "doubled.py").write_text(COMPILED)
    command = [sys.executable, "-c", PROGRAM.format(folder=str(tmp_path))]
    root = Path(__file__).parents[2]
    said = [subprocess.run(command, capture_output=True, text=True, check=True, cwd=root, timeout=100).stdout for _ in range(2)]
    assert said == ["told\n", ""]
