"""Hooks of MkDocs: what lies beside docs/ (README, settings, examples, licences) becomes pages, and links lead to them."""

from __future__ import annotations

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

PROJECT = Path(__file__).parents[1]
PAGES = {
    "README.md": "index.md",
    "LICENSE": "LICENSE.md",
    "config.toml": "config.md",
    "examples": "examples.md",
    **{name: name for name in ("ASSETS.md", "CHANGELOG.md", "CONTRIBUTING.md", "THIRD_PARTY.md")},
}
LINK = re.compile(r"\]\((?P<up>(?:\.\./)*)(?P<target>[^)#:]+)(?P<anchor>#[^)]*)?\)")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """``FOLDER/*`` in the navigation stands for the pages of a folder, sorted."""
    config.nav = [expanded(entry, Path(config.docs_dir)) for entry in config.nav or []]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the pages."""
    for name, page in PAGES.items():
        files.append(File.generated(config, page, content=text_of(PROJECT / name)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Links that leave docs/, or come from outside it, as the pages have them."""
    del config, files
    depth = page.file.src_uri.count("/")
    beside = page.file.src_uri in PAGES.values()

    def led(link: re.Match[str]) -> str:
        target, anchor = link["target"], link["anchor"] or ""
        outside = link["up"] == "" if beside else link["up"].count("../") > depth
        if not outside:
            return link[0]
        new = PAGES.get(target.rstrip("/"), target.removeprefix("docs/"))
        return f"]({'../' * depth}{new}{anchor})"

    return LINK.sub(led, markdown)


def expanded(entry: object, docs: Path) -> object:
    """An entry of the navigation, whose patterns are replaced by what they stand for."""
    if isinstance(entry, dict):
        return {title: expanded(inner, docs) for title, inner in entry.items()}
    if isinstance(entry, list):
        return [one for inner in entry for one in (pages_of(inner, docs) if is_pattern(inner) else [expanded(inner, docs)])]
    return entry


def is_pattern(entry: object) -> bool:
    """Whether it stands for the pages of a folder."""
    return isinstance(entry, str) and entry.endswith("/*")


def pages_of(pattern: str, docs: Path) -> list[str]:
    """The pages of a folder."""
    return sorted(path.relative_to(docs).as_posix() for path in docs.glob(f"{pattern}.md"))


def text_of(path: Path) -> str:
    """A file as Markdown: code as a block under the title, a folder's files one after the other."""
    if path.is_dir():
        return "# Examples\n\n" + "\n\n".join(f"## {one.name}\n\n{block(one)}" for one in sorted(path.glob("*.py")))
    if path.suffix == ".md":
        return path.read_text(encoding="utf-8")
    title = "Settings: config.toml" if path.suffix == ".toml" else path.name.capitalize()
    return f"# {title}\n\n{block(path)}"


def block(path: Path) -> str:
    """A file's text as a block of code."""
    language = {".py": "python", ".toml": "toml"}.get(path.suffix, "text")
    return f"```{language}\n{path.read_text(encoding='utf-8').rstrip()}\n```"
