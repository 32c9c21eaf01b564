"""The program in poor surroundings, as real processes: it works, or says in a sentence what is missing."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from engine import process
from engine.errors import InputError
from engine.process import memory_is_short, private_folder
from engine.video import read_frames
from tests.commands import ROOT, finished

NOBODY = 54321  # a user id without an entry in the list of users
RUN = "run --camera idle --size 256x256 --frames 2 --output file:{out}"
SPEAKS_OF_MEMORY = "not enough memory|memory is too short"

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="surroundings are made by Linux's programs")
AS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0


@dataclass(frozen=True)
class Case:
    """A command in some surroundings.

    command   of hifihead; {out} is a file that it may write
    around    what surrounds it: {python} is its start
    expected  exit codes
    words     one of which is said, divided by |; "" = anything
    nobody    whether a user without a home starts it, for which the tests must be run by root
    """

    command: str = RUN
    around: str = "{python}"
    variables: dict[str, str] = field(default_factory=dict)
    expected: tuple[int, ...] = (0,)
    words: str = ""
    nobody: bool = False


CASES = {
    # no home, no entry, nowhere to keep anything
    "home that does not exist": Case(variables={"HOME": "/nonexistent"}, nobody=True),
    "no home and no entry": Case(nobody=True),
    "no home, doctor": Case("doctor", expected=(0, 1), words="log file", nobody=True),
    "no home, devices": Case("devices", expected=(0, 1), nobody=True),
    "no home, and a photograph in it": Case(
        RUN + " --config {folder}/home.toml", expected=(1,), words="it is not known where ~ is", nobody=True
    ),
    "no home, own settings": Case(RUN + " --config {folder}/plain.toml", nobody=True),
    "a home that is a file": Case(variables={"HOME": "/dev/null"}),
    "a cache that is a file": Case(variables={"XDG_CACHE_HOME": "/dev/null", "XDG_STATE_HOME": "/dev/null"}),
    # standard streams
    "no stdout": Case(around="{python} >&-", words="Sent 2 pictures"),
    "no stderr": Case(around="{python} 2>&-"),
    "no streams at all": Case(around="{python} <&- >&- 2>&-"),
    "full stdout": Case("devices --json", around="{python} >/dev/full", expected=(0, 1)),
    "full stderr": Case(around="{python} 2>/dev/full"),
    "nobody reads stdout": Case("devices --json", around="{python} | true; exit 0"),
    # memory
    "600 MB": Case(around="ulimit -v 600000; {python}", expected=(1,), words=SPEAKS_OF_MEMORY),
    "1 GB": Case(around="ulimit -v 1000000; {python}", expected=(1,), words=SPEAKS_OF_MEMORY),
    "2 GB": Case(around="ulimit -v 2000000; {python}", expected=(1,), words=SPEAKS_OF_MEMORY),
    "no more than is needed": Case(around="ulimit -v 3000000; {python}", words="Sent 2"),
    # terminals and languages
    "locale C": Case("doctor", variables={"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, expected=(0, 1)),
    "unknown locale": Case("devices", variables={"LC_ALL": "tlh_QO.EBCDIC"}, expected=(0, 1)),
    "ASCII only": Case("doctor", variables={"PYTHONIOENCODING": "ascii:strict"}, expected=(0, 1)),
    "ten columns": Case("doctor", variables={"COLUMNS": "10", "TERM": "xterm"}, expected=(0, 1)),
    "one column": Case("devices", variables={"COLUMNS": "1", "TERM": "xterm"}, expected=(0, 1)),
    "no columns": Case("devices", variables={"COLUMNS": "0", "LINES": "0"}, expected=(0, 1)),
    "dumb terminal": Case("--help", variables={"TERM": "dumb", "NO_COLOR": "1"}),
    "forced colour": Case("devices", variables={"FORCE_COLOR": "1", "TERM": "xterm-256color"}, expected=(0, 1)),
    # other
    "no variables but PATH": Case("--help"),
    "few open files": Case(around="ulimit -n 64; {python}", expected=(0, 1)),
    "a folder that was removed": Case(
        "devices", around="mkdir {folder}/gone; cd {folder}/gone; rmdir ../gone; {python}", expected=(0, 1)
    ),
}


@pytest.fixture(scope="module")
def nobodys_temporary() -> Iterator[Path]:
    """The folder for temporary files of the user without a home. What the first case compiles is there for the others."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o777)
        yield folder


@pytest.fixture
def folder() -> Iterator[Path]:
    """Where a case may write, that user too: pytest's own folders are closed to others."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o777)
        yield Path(name)


def started(case: Case, folder: Path, temporary: Path) -> tuple[int, str, Path]:
    """(exit code, what was said, the file that may have been written)."""
    (folder / "home.toml").write_text('[avatar]\nphoto = "~/me.jpg"\n')
    (folder / "plain.toml").write_text("")
    out = folder / "out.mp4"
    python = f"{sys.executable} -m vcam {case.command.format(out=out, folder=folder)}"
    if case.nobody:
        python = f"setpriv --reuid={NOBODY} --regid={NOBODY} --clear-groups {python}"
    own = {"TMPDIR": str(temporary)} if case.nobody else {}
    variables = own if case.nobody or "HOME" in case.variables else {"HOME": str(folder)}
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **variables, **case.variables}
    shell = case.around.format(python=python, folder=folder)
    ended = finished(["bash", "-c", shell], env=environment)
    return ended.returncode, ended.stdout + ended.stderr, out


@pytest.mark.parametrize("name", CASES)
def test_the_program_works_or_says_what_is_missing(name: str, folder: Path, nobodys_temporary: Path) -> None:
    case = CASES[name]
    if case.nobody and not (AS_ROOT and shutil.which("setpriv")):
        pytest.skip("only root can start it for another user")
    code, said, out = started(case, folder, nobodys_temporary)
    assert code in case.expected, said
    assert any(words in said for words in case.words.split("|")), said
    if case.command.startswith("run") and code == 0:
        assert len(list(read_frames(out))) == 2


@pytest.mark.parametrize(
    ("error", "short"),
    [
        (MemoryError(), True),
        (OSError(12, "Cannot allocate memory"), True),
        (ImportError("x.so: failed to map segment from shared object"), True),
        (RuntimeError("can't start new thread"), True),
        (ImportError("No module named x"), False),
        (OSError(28, "No space left on device"), False),
    ],
)
def test_short_memory_is_told_from_other_failures(error: Exception, short: bool) -> None:
    assert memory_is_short(error) == short
    behind = ValueError("something else")
    behind.__cause__ = error
    assert memory_is_short(behind) == short


def test_where_no_temporary_file_can_be_written_shared_memory_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere() -> str:
        raise FileNotFoundError("No usable temporary directory found")

    monkeypatch.setattr(tempfile, "gettempdir", nowhere)
    monkeypatch.setattr(process, "SHARED_MEMORY", tmp_path)
    assert private_folder().parent == tmp_path
    monkeypatch.setattr(process, "SHARED_MEMORY", tmp_path / "none")
    with pytest.raises(InputError, match="Let TMPDIR name one"):
        private_folder()
