"""Settings and photographs that change while the camera runs, in every way that editors, copies and links change them."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from engine.errors import ConfigError, HifiHeadError
from engine.picture import read_picture
from tests.fakes import FakeClock, Said, flat
from vcam.avatars.avatar import photo_path
from vcam.config import Settings
from vcam.config_file import Changes, parse_settings, read_settings, with_changes
from vcam.messages import Messages
from vcam.session import AppliedSettings
from vcam.watch import AT_REST_S, COMPLETE_S, LOOK_EVERY_S, FileWatch

RED, BLUE, GREEN = (200, 30, 30), (30, 30, 200), (30, 200, 30)


class Shown:
    """A session that shows the middle of its photograph; ``pictures`` are the colours that it took up."""

    def __init__(self, config: Path) -> None:
        self._config, self.settings = config, read_settings(config)
        self.photo = photo_path(self.settings.avatar.photo, config)
        self.pictures: list[str] = []

    def set_avatar(self, photo: Path) -> None:
        names = {"red": RED, "blue": BLUE, "green": GREEN}
        picture = read_picture(photo)
        middle = picture[len(picture) // 2, picture.shape[1] // 2].astype(int)
        self.pictures.append(min(names, key=lambda name: int(np.abs(middle - names[name]).sum())))
        self.photo = photo

    def update_settings(self, changes: Changes, name: str = "") -> AppliedSettings:
        wanted = with_changes(self.settings, changes, name)
        if "avatar" in changes:
            self.set_avatar(photo_path(wanted.avatar.photo, self._config))
        self.settings = wanted
        return AppliedSettings((), ())


def picture(colour: tuple[int, int, int], kind: str = "PNG") -> bytes:
    data = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 20, (200, 200, 3), np.uint8)
    Image.fromarray(flat(colour, 200, 200) + noise).save(data, kind)
    return data.getvalue()


class Desk:
    """A settings file beside a red photograph, and a watch over both whose time passes as wanted."""

    def __init__(self, folder: Path, config: Path | None = None) -> None:
        self.folder, self.config = folder, config or folder / "config.toml"
        (folder / "red.png").write_bytes(picture(RED))
        self.name("red.png")
        self.start()

    def start(self) -> None:
        clock, self.said = FakeClock(), Said()
        self.session = Shown(self.config)
        self.watch = FileWatch(self.config, self.session.settings, self.session, Messages(self.said, clock))
        self._clock = clock

    def name(self, photo: str) -> None:
        self.config.write_text(f'[avatar]\nphoto = "{photo}"\n')

    def wait(self, seconds: float) -> None:
        for _ in range(round(seconds / LOOK_EVERY_S)):
            self._clock.pass_time(LOOK_EVERY_S)
            self.watch.step(self._clock.now())

    def settle(self) -> None:
        self.wait(AT_REST_S + 3 * LOOK_EVERY_S)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path)
    desk.settle()
    assert desk.session.pictures == []
    return desk


@pytest.mark.parametrize(
    "write",
    [
        lambda path: path.write_bytes(picture(BLUE)),
        lambda path: path.with_name("new").write_bytes(picture(BLUE)) and path.with_name("new").replace(path),
        lambda path: path.unlink() or path.write_bytes(picture(BLUE, "JPEG")),
    ],
)
def test_a_photograph_replaced_under_its_name_is_taken_up(desk: Desk, write: Callable[[Path], object]) -> None:
    write(desk.folder / "red.png")
    desk.settle()
    assert desk.session.pictures == ["blue"]
    desk.wait(5)
    assert (desk.session.pictures, desk.said) == (["blue"], [])


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP"])
def test_a_half_written_photograph_is_waited_for(desk: Desk, kind: str) -> None:
    whole = picture(BLUE, kind)
    for share in (0.1, 0.5, 0.9):
        (desk.folder / "red.png").write_bytes(whole[: int(len(whole) * share)])
        desk.wait(1.0)
    assert (desk.session.pictures, desk.said) == ([], [])
    (desk.folder / "red.png").write_bytes(whole)
    desk.settle()
    assert (desk.session.pictures, desk.said) == (["blue"], [])


def test_what_stays_half_is_told_once_and_the_picture_stays(desk: Desk) -> None:
    (desk.folder / "red.png").write_bytes(picture(BLUE)[:900])
    desk.wait(COMPLETE_S + 5)
    assert len(desk.said) == 1
    assert "damaged or cut off" in desk.said[0]
    assert "stays" in desk.said[0]


def test_a_photograph_that_comes_after_its_name_is_taken_up(desk: Desk) -> None:
    desk.name("later.png")
    desk.wait(COMPLETE_S + 1)
    assert len(desk.said) == 1
    assert "later.png does not exist. The last good settings stay in force." in desk.said[0]
    half = picture(GREEN)
    (desk.folder / "later.png").write_bytes(half[: len(half) // 2])
    desk.wait(1)
    (desk.folder / "later.png").write_bytes(half)
    desk.settle()
    assert (desk.session.pictures, len(desk.said)) == (["green"], 1)
    (desk.folder / "later.png").write_bytes(picture(BLUE))
    desk.settle()
    assert desk.session.pictures == ["green", "blue"]


def test_a_photograph_that_is_gone_stays_shown(desk: Desk) -> None:
    (desk.folder / "red.png").unlink()
    desk.wait(5)
    assert (desk.session.pictures, desk.said) == ([], [])


@pytest.mark.skipif(os.name != "posix", reason="links need rights on Windows")
@pytest.mark.parametrize("depth", [1, 2, 3])
def test_links_are_followed_as_they_are_now(depth: int, tmp_path: Path) -> None:
    """``depth`` links stand between the name and the file; the last of them is pointed elsewhere, and that file is edited."""
    for name, colour in (("a", BLUE), ("b", GREEN)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.toml").write_text(f'[avatar]\nphoto = "{name}.png"\n')
        (tmp_path / f"{name}.png").write_bytes(picture(colour))
    links = [tmp_path / "config.toml", *(tmp_path / f"link{n}" for n in range(1, depth))]
    for link, target in zip(links, [*links[1:], tmp_path / "a" / "config.toml"], strict=True):
        link.symlink_to(target)
    desk = Desk.__new__(Desk)
    desk.folder, desk.config = tmp_path, links[0]
    desk.start()
    desk.settle()
    links[-1].unlink()
    links[-1].symlink_to(tmp_path / "b" / "config.toml")
    desk.settle()
    assert desk.session.pictures == ["green"]
    (tmp_path / "b" / "config.toml").write_text('[avatar]\nphoto = "a.png"\n')
    desk.settle()
    assert desk.session.pictures == ["green", "blue"]


@pytest.mark.parametrize("half", ["", '[avatar]\nphoto = "bl', '[avatar]\nphoto = "blue.png"', "[drive]\nhold_s = 1"])
def test_half_written_settings_are_waited_for(half: str, desk: Desk) -> None:
    (desk.folder / "blue.png").write_bytes(picture(BLUE))
    desk.config.write_text(half)
    desk.wait(1.0)
    assert (desk.session.pictures, desk.said) == ([], [])
    desk.name("blue.png")
    desk.settle()
    assert (desk.session.pictures, desk.said) == (["blue"], [])


def test_settings_whose_last_line_is_not_ended_are_taken_up_after_a_while(desk: Desk) -> None:
    (desk.folder / "blue.png").write_bytes(picture(BLUE))
    desk.config.write_text('[avatar]\nphoto = "blue.png"')
    desk.wait(COMPLETE_S + 0.5)
    assert desk.session.pictures == ["blue"]


# what Notepad and others save


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_settings_of_every_editor_are_read(encoding: str, newline: str, tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(f'[avatar]{newline}photo = "ü.jpg"{newline}'.encode(encoding))
    assert read_settings(path).avatar.photo == "ü.jpg"


@pytest.mark.parametrize(
    "text",
    [
        r'photo = "C:\Users\me\new.jpg"',
        r'photo = "C:\temp\new.jpg"',
        r'photo = "D:\new.jpg"',
        r'photo = "\\server\share\x.jpg"',
        r'photo="C:\xylo.jpg" # mine',
    ],
)
def test_windows_paths_in_double_quotes_are_explained(text: str) -> None:
    with pytest.raises(ConfigError, match="single quotes") as refused:
        parse_settings(f"[avatar]\n{text}\n", "config.toml")
    assert "write / instead" in str(refused.value)


@pytest.mark.parametrize("text", [r"'C:\temp\new.jpg'", r'"C:\\temp\\new.jpg"', '"C:/temp/new.jpg"'])
def test_windows_paths_in_the_right_quotes_are_taken(text: str) -> None:
    assert parse_settings(f"[avatar]\nphoto = {text}\n", "config.toml").avatar.photo.startswith("C:")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("photo = “me.jpg”", "use \" or '"),
        ("photo = ‘me.jpg’", "use \" or '"),
        ("photo = me.jpg", "Text stands in quotes"),
        ("photo = ~/me.jpg", "Text stands in quotes"),
        ("photo = C:\\me.jpg", "Text stands in quotes"),
    ],
)
def test_missing_and_wrong_quotes_are_explained(text: str, words: str) -> None:
    with pytest.raises(ConfigError, match="not valid TOML") as refused:
        parse_settings(f"[avatar]\n{text}\n", "config.toml")
    assert words in str(refused.value)


@pytest.mark.skipif(os.name != "posix", reason="named pipes are POSIX's")
def test_a_pipe_is_never_waited_for(desk: Desk) -> None:
    os.mkfifo(desk.folder / "pipe.png")
    with pytest.raises(HifiHeadError, match="pipe or a device"):
        read_picture(desk.folder / "pipe.png")
    desk.config.unlink()
    os.mkfifo(desk.config)
    desk.wait(3)
    assert desk.said == []


@settings(max_examples=80, deadline=None, derandomize=True)
@given(data=st.binary(max_size=300) | st.text(max_size=300).map(lambda text: text.encode("utf-8", "ignore")))
def test_whatever_a_settings_file_holds_it_is_read_or_refused_in_a_sentence(
    data: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_bytes(data)
    try:
        assert isinstance(read_settings(path), Settings)
    except HifiHeadError as error:
        assert str(path) in str(error)  # noqa: PT017 — either is right


@settings(max_examples=80, deadline=None, derandomize=True)
@given(st.sampled_from(sorted(Settings.model_fields)), st.text(min_size=1, max_size=12), st.text(max_size=30))
def test_whatever_a_setting_is_set_to_it_is_read_or_refused(section: str, key: str, value: str) -> None:
    try:
        with_changes(Settings(), {section: {key: value}}, "The change")
    except ConfigError as error:
        assert str(error).startswith("The change: ")  # noqa: PT017 — either is right


# drives, programs and editors that touch files in their own ways


def same_time_and_place(path: Path, text: str) -> None:
    """Writes as many bytes in place, under the time that the file has: a USB stick's times are whole steps of two seconds."""
    found = path.stat()
    assert len(text.encode()) == found.st_size
    with path.open("r+") as file:
        file.write(text)
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))


def test_a_second_change_within_a_step_of_the_files_clock_is_taken_up(desk: Desk) -> None:
    (desk.folder / "blu.png").write_bytes(picture(BLUE))
    (desk.folder / "grn.png").write_bytes(picture(GREEN))
    desk.name("blu.png")
    desk.settle()
    same_time_and_place(desk.config, desk.config.read_text().replace("blu", "grn"))
    desk.wait(COMPLETE_S)
    assert (desk.session.pictures, desk.said) == (["blue", "green"], [])


@pytest.mark.parametrize("seconds", [0.0, 0.05, 0.1])
def test_of_two_changes_in_quick_succession_the_last_counts(seconds: float, desk: Desk) -> None:
    for name, colour in (("blu.png", BLUE), ("grn.png", GREEN)):
        (desk.folder / name).write_bytes(picture(colour))
        desk.name(name)
        desk.wait(seconds)
    desk.wait(COMPLETE_S + 1)
    assert (desk.session.pictures, desk.said) == (["green"], [])


@pytest.mark.parametrize("names", [("config.toml",), ("red.png",), ("config.toml", "red.png")])
def test_a_drive_that_is_away_for_a_second_changes_nothing(names: tuple[str, ...], desk: Desk) -> None:
    contents = {name: (desk.folder / name).read_bytes() for name in names}
    for name in names:
        (desk.folder / name).unlink()
    desk.wait(1)
    for name in names:
        (desk.folder / name).write_bytes(contents[name])  # as another file: drives number theirs anew
    desk.wait(COMPLETE_S + 1)
    assert (desk.session.pictures, desk.said) == ([], [])


def test_a_folder_that_is_renamed_and_back_changes_nothing(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    (tmp_path / "faces").mkdir()
    (tmp_path / "faces" / "blue.png").write_bytes(picture(BLUE))
    desk.name("faces/blue.png")
    desk.settle()
    assert desk.session.pictures == ["blue"]
    (tmp_path / "faces").rename(tmp_path / "other")
    desk.wait(5)
    (tmp_path / "other").rename(tmp_path / "faces")
    desk.wait(5)
    assert (desk.session.pictures, desk.said) == (["blue"], [])
    (tmp_path / "faces" / "blue.png").write_bytes(picture(GREEN))
    desk.settle()
    assert desk.session.pictures == ["blue", "green"]


@pytest.mark.parametrize("time_s", [0, -(10**9), 10**9, 4 * 10**9])
def test_a_file_whose_time_is_odd_is_taken_up_and_one_that_is_only_touched_is_not(time_s: int, desk: Desk) -> None:
    os.utime(desk.folder / "red.png", (time_s, time_s))
    desk.settle()
    assert desk.session.pictures == []
    (desk.folder / "red.png").write_bytes(picture(BLUE))
    os.utime(desk.folder / "red.png", (time_s, time_s))
    desk.settle()
    assert (desk.session.pictures, desk.said) == (["blue"], [])


def by_vim(path: Path, text: str, look: Callable[[], None]) -> None:
    backup = path.with_name(f"{path.name}~")
    path.with_name(f".{path.name}.swp").write_bytes(b"b0VIM")
    path.rename(backup)
    look()
    path.write_text(text[:10])
    look()
    path.write_text(text)
    backup.unlink()


def by_gedit(path: Path, text: str, look: Callable[[], None]) -> None:
    part = path.with_name(".goutputstream-5B2JZ2")
    part.write_text(text)
    look()
    path.with_name(f"{path.name}~").write_bytes(path.read_bytes())
    part.replace(path)


def by_visual_studio_code(path: Path, text: str, look: Callable[[], None]) -> None:
    with path.open("r+") as file:
        file.truncate(0)
        look()
        file.write(text)


def by_emacs(path: Path, text: str, look: Callable[[], None]) -> None:
    path.with_name(f".#{path.name}").symlink_to("me@here.1234:5678")
    path.with_name(f"#{path.name}#").write_text(text[:20])
    look()
    path.rename(path.with_name(f"{path.name}~"))
    look()
    path.write_text(text)
    path.with_name(f".#{path.name}").unlink()


@pytest.mark.skipif(os.name != "posix", reason="links need rights on Windows")
@pytest.mark.parametrize("save", [by_vim, by_gedit, by_visual_studio_code, by_emacs])
def test_what_an_editor_saves_is_taken_up_once(save: Callable[[Path, str, Callable[[], None]], None], desk: Desk) -> None:
    (desk.folder / "blue.png").write_bytes(picture(BLUE))
    save(desk.config, '[avatar]\nphoto = "blue.png"\n', lambda: desk.wait(3 * LOOK_EVERY_S))
    desk.settle()
    assert (desk.session.pictures, desk.said) == (["blue"], [])
    desk.wait(COMPLETE_S + 1)
    assert (desk.session.pictures, desk.said) == (["blue"], [])
