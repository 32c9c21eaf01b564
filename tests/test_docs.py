"""What README, CONTRIBUTING and docs/ name exists: modules, classes, settings, commands, files, links."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

import trainer.cli
import vcam.cli.app
from vcam.config_file import known_keys

ROOT = Path(__file__).parents[1]
PACKAGES = ("engine", "vcam", "trainer", "plugins", "tests")
FOLDERS = (*PACKAGES, "docs", "examples")
DESCRIBING = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
PAGES = [*DESCRIBING, ROOT / "CHANGELOG.md", ROOT / "ASSETS.md"]
GLOSSARY = ROOT / "docs" / "glossary.md"

FENCED = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
CLASS = re.compile(r"^[A-Z][a-zA-Z0-9]*[a-z][a-zA-Z0-9]*(\.\w+)?(\([^)]*\))?$")
DOTTED = re.compile(rf"^({'|'.join(PACKAGES)})(\.\w+)+(\(.*\))?$")
COMMAND = re.compile(r"(hifihead|python -m vcam|-m trainer) ([a-z][a-z-]*)")
FOREIGN = {  # classes and names of other libraries that pages speak of
    "DataLoader",
    "GridSample",
    "Xvfb",
}
PLACEHOLDER = re.compile(r"[A-Z]{3,}|<|…")  # CLIP, NAME, <k>: a page's reader puts something there


def prose(page: Path) -> str:
    """A page without its fenced blocks."""
    return FENCED.sub("", page.read_text(encoding="utf-8"))


def quoted(page: Path) -> list[str]:
    """What a page's prose has in backticks."""
    return re.findall(r"`([^`\n]+)`", prose(page))


def drawn(page: Path) -> list[str]:
    """The names of classes in a page's mermaid drawings: words with a capital inside."""
    drawings = [body for kind, body in FENCED.findall(page.read_text(encoding="utf-8")) if kind == "mermaid"]
    return re.findall(r"\b[A-Z][a-z]+[A-Z]\w*", "\n".join(drawings))


@cache
def definitions(path: Path) -> dict[str, set[str]]:
    """Every top-level name of a module, and of classes their members."""
    found: dict[str, set[str]] = {}
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef):
            found[node.name] = {name for inner in node.body for name in names_of(inner)} | own_attributes(node)
        else:
            found |= {name: set() for name in names_of(node)}
    return found


def names_of(node: ast.stmt) -> set[str]:
    """What a statement defines."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {node.name}
    if isinstance(node, ast.ImportFrom):
        return {alias.asname or alias.name for alias in node.names}
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return {inner.id for target in targets for inner in ast.walk(target) if isinstance(inner, ast.Name)}


def own_attributes(node: ast.ClassDef) -> set[str]:
    """What methods put on ``self``."""
    return {
        inner.attr
        for inner in ast.walk(node)
        if isinstance(inner, ast.Attribute) and isinstance(inner.value, ast.Name) and inner.value.id == "self"
    }


@cache
def classes() -> dict[str, set[str]]:
    """Every class and type of ours, with its members."""
    found: dict[str, set[str]] = {}
    for path in (path for package in PACKAGES for path in (ROOT / package).rglob("*.py")):
        for name, members in definitions(path).items():
            found.setdefault(name, set()).update(members)
    return found


def module_of(dotted: str) -> Path | None:
    """The file of a module or package."""
    path = ROOT.joinpath(*dotted.split("."))
    return next((p for p in (path.with_suffix(".py"), path / "__init__.py") if p.is_file()), None)


def is_defined(dotted: str) -> bool:
    """Whether a.b.c is a module, or something that one defines, or a member of that."""
    parts = dotted.split("(", maxsplit=1)[0].split(".")
    for length in range(len(parts), 0, -1):
        module = module_of(".".join(parts[:length]))
        if module is not None:
            name, *member = [*parts[length:], ""]
            known = definitions(module)
            return not name or (name in known and (not member[0] or member[0] in known[name]))
    return False


def is_class(name: str) -> bool:
    """Whether ``Class`` or ``Class.member`` is ours."""
    kind, _, member = name.split("(", maxsplit=1)[0].partition(".")
    return kind in FOREIGN or (kind in classes() and (not member or member in classes()[kind]))


def is_path(text: str) -> bool:
    """Whether a path, with or without .py, or with one {a,b}, exists."""
    braces = re.search(r"\{([^}]*)\}", text)
    if braces:
        return all(is_path(text.replace(braces[0], choice)) for choice in braces[1].split(","))
    path = ROOT / text
    return path.exists() or path.with_name(f"{path.name}.py").is_file()


def unknown(text: str) -> bool:
    """Whether something in backticks names a part of the program that does not exist."""
    if text in known_keys():
        return False
    if DOTTED.match(text):
        return not is_defined(text)
    if CLASS.match(text):
        return not is_class(text)
    if re.match(rf"^({'|'.join(FOLDERS)})/[\w./{{}},-]*$", text) and not PLACEHOLDER.search(text):
        return not is_path(text)
    section = text.split(".", maxsplit=1)[0]
    if re.fullmatch(r"[a-z]+\.[a-z_]+", text) and section in known_keys():
        return text not in known_keys()
    return not known_command(text)


def known_command(line: str) -> bool:
    """Whether what a line starts, if it is ours, is a command of ours."""
    return all(word in commands(program) for program, word in COMMAND.findall(line))


@cache
def commands(program: str) -> set[str]:
    """The commands of ``hifihead``, or of ``python -m trainer``."""
    known = trainer.cli.app if program.endswith("trainer") else vcam.cli.app.app
    groups = {str(group.name) for group in known.registered_groups}
    return groups | {
        command.name or command.callback.__name__.replace("_", "-") for command in known.registered_commands if command.callback
    }


@pytest.mark.parametrize("page", DESCRIBING, ids=lambda page: page.name)
def test_what_is_named_exists(page: Path) -> None:
    assert [text for text in quoted(page) if unknown(text)] == []
    assert [name for name in drawn(page) if not is_class(name)] == []
    typed = [line for kind, body in FENCED.findall(page.read_text(encoding="utf-8")) if not kind for line in body.splitlines()]
    assert [line for line in typed if not known_command(line)] == []


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("vcam.session.Session.set_avatar", False),
        ("vcam.session.Session.seat_avatar", True),
        ("vcam.sessions", True),
        ("Session.snapshot()", False),
        ("Portrayer", True),
        ("engine/warp/lids", False),
        ("engine/generator/compose_{fast,torch}.py", False),
        ("engine/generator/compose_{fast,slow}.py", True),
        ("drive.hold_s", False),
        ("drive.hold_ms", True),
        ("hifihead bench --json", False),
        ("hifihead measure", True),
        ("python -m trainer evaluate generator --most 36", False),
        ("python -m trainer judge", True),
        ("MP4", False),
        ("jawOpen", False),
    ],
)
def test_names_are_told_from_words(text: str, wrong: bool) -> None:
    assert unknown(text) is wrong


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    dead = []
    for link in LINK.findall(prose(page)):
        target, _, anchor = link.partition("#")
        if "://" in link or link.startswith("mailto:"):
            continue
        file = (page.parent / target) if target else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            dead.append(link)
    assert dead == []


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_term_of_the_glossary_has_a_line_and_a_place() -> None:
    rows = [
        line.strip("| \n").split(" | ") for line in GLOSSARY.read_text(encoding="utf-8").splitlines() if line.startswith("| ")
    ]
    terms = [row for row in rows if row[0] not in ("term", "")]
    assert len(terms) > 50
    assert [row for row in terms if len(row) != 3] == []
    places = [(row[0], re.findall(r"`([^`]+)`", row[2])) for row in terms]
    assert [term for term, found in places if not any(DOTTED.match(text) for text in found)] == []
    assert len({row[0] for row in terms}) == len(terms)
    assert [row[0] for row in terms] == sorted((row[0] for row in terms), key=str.casefold)
