"""OBS shows the camera's state, and another scene and source while no face is seen; it may come, go, and refuse."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from engine.errors import ConfigError, InputError
from plugins.obs import PASSWORD_VARIABLE, ObsPlugin, ObsSettings, link, protocol
from plugins.obs.link import place_of
from plugins.obs.presence import LOST, SEEN, WORDS, Presence
from tests.plugins.fake_obs import FakeObs, right_answer
from vcam.cli.app import run_command
from vcam.config_file import check
from vcam.plugins.testing import PluginRun
from vcam.snapshot import Snapshot

SPOKEN, FILE = "gehe!m ä", "pass"
PATIENCE_S = 30.0  # a busy machine may take long; a healthy one takes none of it
EVERYTHING = {
    "text_source": "State",
    "away_scene": "Away",
    "away_source": "Clock",
    "present_source": "Camera",
    "away_after_s": 0.0,
}


@pytest.fixture
def obs() -> Iterator[FakeObs]:
    with FakeObs().running() as running:
        yield running


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """OBS is looked for again at once, and without the system's proxy."""
    for proxy in ("http_proxy", "https_proxy", "socks_proxy"):
        monkeypatch.setenv(proxy, "http://127.0.0.1:9")
    monkeypatch.setattr(link, "AGAIN_S", 0.02)
    monkeypatch.setattr(link, "REFUSED_AGAIN_S", 0.02)
    monkeypatch.setattr(link, "LOOK_EVERY_S", 0.02)
    monkeypatch.delenv(PASSWORD_VARIABLE, raising=False)


def wait_until(holds: Callable[[], Any]) -> None:
    end_s = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end_s, "it did not happen"
        time.sleep(0.005)


@contextmanager
def running(obs: FakeObs, *, folder: Path | None = None, **settings: Any) -> Iterator[PluginRun]:
    with PluginRun(ObsPlugin, folder=folder, address=obs.address, **(settings or EVERYTHING)) as run:
        run.tell(Snapshot("driving"))
        yield run


def lose(run: PluginRun, obs: FakeObs, words: str = "no face") -> None:
    run.tell(Snapshot("idle"))
    wait_until(lambda: obs.texts["State"] == f"HifiHead Cam: {words}")


# what it shows


def test_the_text_says_what_the_camera_does_and_at_the_end_that_it_is_off(obs: FakeObs) -> None:
    with running(obs, text_source="State") as run:
        for state in ("driving", "holding", "idle", "privacy", "paused", "card", "stalled", "resting"):
            run.tell(Snapshot(state))
            wait_until(lambda state=state: obs.texts["State"] == f"HifiHead Cam: {WORDS[state]}")
    assert obs.texts["State"] == "HifiHead Cam: off"
    assert obs.scene == "Live"


def test_scene_and_sources_change_when_the_face_is_lost_and_back_when_it_is_there(obs: FakeObs) -> None:
    obs.scenes["Away"]["Clock"] = False
    obs.groups["Group"] = {"Camera": True}
    with running(obs) as run:
        lose(run, obs)
        wait_until(lambda: obs.scene == "Away" and not obs.groups["Group"]["Camera"])
        assert obs.scenes == {"Live": {"Camera": False, "State": True}, "Away": {"Clock": True}}
        run.tell(Snapshot("driving"))
        wait_until(lambda: obs.scene == "Live" and obs.groups["Group"]["Camera"])
        assert obs.scenes == {"Live": {"Camera": True, "State": True}, "Away": {"Clock": False}}
        assert [line for line in run.said if "Connected" not in line] == []


def test_a_scene_that_the_user_chose_meanwhile_stays(obs: FakeObs) -> None:
    obs.scenes["Slides"] = {}
    with running(obs) as run:
        lose(run, obs)
        wait_until(lambda: obs.scene == "Away")
        obs.scene = "Slides"
        run.tell(Snapshot("driving"))
        wait_until(lambda: obs.scenes["Live"]["Camera"])
        assert obs.scene == "Slides"


def test_the_way_back_may_be_named_and_is_told_to_be_unknown_otherwise(obs: FakeObs) -> None:
    obs.scene = "Away"
    with running(obs) as run:
        wait_until(lambda: any("plugins.obs.present_scene" in line for line in run.said))
    assert obs.scene == "Away"
    with running(obs, away_scene="Away", present_scene="Live"):
        wait_until(lambda: obs.scene == "Live")


def test_the_face_counts_as_lost_after_a_while_and_as_back_at_once() -> None:
    presence = Presence(2.0)
    assert presence.away(0.0) is None
    for state, now_s, away in (
        ("waiting", 1.0, False), ("waiting", 2.9, False), ("waiting", 3.0, True), ("resting", 4.0, True), ("driving", 5.0, False),
        ("idle", 6.0, False), ("holding", 7.9, False), ("idle", 8.0, False), ("privacy", 9.9, False), ("paused", 10.1, True),
    ):  # fmt: skip
        presence.update(state, now_s)
        assert presence.away(now_s) is away
    assert set(SEEN) | set(LOST) | {"starting", "resting", "ended"} == set(WORDS)


def test_it_says_when_nobody_looks_for_the_face_because_obs_hides_the_camera(obs: FakeObs) -> None:
    with running(obs) as run:
        lose(run, obs)
        wait_until(lambda: obs.scene == "Away")
        run.tell(Snapshot("resting"))
        wait_until(lambda: "output.always_on" in run.said[-1])
        assert obs.scene == "Away"


# OBS comes and goes


def test_it_waits_for_obs_and_goes_on_after_a_restart() -> None:
    obs = FakeObs()
    with obs.running():
        pass
    with running(obs) as run:
        wait_until(lambda: run.said)
        assert run.said == [f"OBS is not there, at {obs.address}, and is waited for. Its server is switched on under Tools → "
                            "WebSocket Server Settings."]  # fmt: skip
        with obs.running():
            wait_until(lambda: obs.texts["State"] == "HifiHead Cam: live")
        wait_until(lambda: len(run.said) == 3)
        run.tell(Snapshot("idle"))
        with obs.running():
            wait_until(lambda: obs.scene == "Away")
            run.tell(Snapshot("driving"))
            wait_until(lambda: obs.scene == "Live")
        wait_until(lambda: len(run.said) == 5)
        assert run.said[1::2] == ["Connected to OBS 30.0.0."] * 2
        assert run.said[0::2] == [run.said[0]] * 3


def test_obs_that_is_still_starting_is_asked_again(obs: FakeObs) -> None:
    obs.not_ready = 3
    with running(obs) as run:
        wait_until(lambda: obs.texts["State"])
        assert run.said == ["OBS is not ready yet: it is waited for.", "Connected to OBS 30.0.0."]
    assert obs.identified == 4


def test_it_ends_while_something_accepts_and_never_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "OPEN_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as server:
        obs = FakeObs(port=server.getsockname()[1])
        with running(obs):
            connection, _ = server.accept()
        connection.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "obs"]


# refusals


def test_the_password_comes_from_settings_a_file_or_the_environment(
    obs: FakeObs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    obs.password = SPOKEN
    (tmp_path / FILE).write_text(f"{obs.password}\n", encoding="utf-8")
    with running(obs, text_source="State", password=obs.password):
        wait_until(lambda: obs.identified == 1)
    with running(obs, folder=tmp_path, text_source="State", password_file=FILE):
        wait_until(lambda: obs.identified == 2)
    monkeypatch.setenv(PASSWORD_VARIABLE, obs.password)
    with running(obs, text_source="State"):
        wait_until(lambda: obs.identified == 3)
    with (
        pytest.raises(InputError, match=r"cannot be read from .*no pass"),
        running(obs, text_source="State", password_file=f"no {FILE}"),
    ):
        pass


@pytest.mark.parametrize(("given", "words"), [("wrong", "OBS refuses the password"), ("", "OBS wants a password")])
def test_a_wrong_password_is_told_once_and_tried_again(obs: FakeObs, given: str, words: str) -> None:
    obs.password = SPOKEN
    with running(obs, text_source="State", password=given) as run:
        wait_until(lambda: run.said)
        assert words in run.said[0]
        obs.password = given  # as the user sets it there
        wait_until(lambda: len(run.said) == 2)
    assert run.said[1] == "Connected to OBS 30.0.0."
    assert "wrong" not in "".join(run.said)


def test_the_password_is_shown_nowhere(
    obs: FakeObs, tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[plugins.obs]\npassword = "' + SPOKEN + '"\n', encoding="utf-8")
    assert run_command(["plugins", "--config", str(config), "--json"]) == 0
    shown = capsys.readouterr().out
    (row,) = (row for row in json.loads(shown)["plugins"] if row["name"] == "obs")
    assert row["settings"]["password"]["value"] == "**********"
    caplog.set_level("DEBUG")
    obs.password = SPOKEN
    with running(obs, text_source="State", password=SPOKEN):
        wait_until(lambda: obs.identified)
    with pytest.raises(ConfigError, match=r"plugins\.obs\.password must be") as refusal:
        check(ObsSettings, {"password": 7777777}, "The settings", "plugins.obs")
    told = str(refusal.value) + str(refusal.value.__cause__)
    assert not [secret for secret in (SPOKEN, "7777777") if secret in shown + caplog.text + told]


def test_the_answer_to_a_challenge_is_the_one_that_obs_computes() -> None:
    assert protocol.authentication("pass", "c2FsdA==", "Y2hhbGxlbmdl") == right_answer("pass")


@pytest.mark.parametrize(
    "greeting", ['{"update-type": "Exiting"}', "[]", "no JSON", '{"op": 0, "d": {"authentication": {}}}', '{"op": 2, "d": {}}']
)
def test_another_protocol_is_told(obs: FakeObs, greeting: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "ANSWER_S", 0.25)
    obs.greeting = greeting
    with running(obs, text_source="State", password=SPOKEN) as run:
        wait_until(lambda: run.said)
    assert run.said[0].startswith("What answers does not speak obs-websocket 5")


def test_a_server_that_waits_to_be_asked_as_obs_websocket_4_does_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "ANSWER_S", 0.25)

    class OldObs(FakeObs):
        def _greet(self, connection: Any) -> None:
            connection.recv()

    with OldObs().running() as obs, running(obs, text_source="State") as run:
        wait_until(lambda: run.said)
        assert "OBS 28 or newer is needed" in run.said[0]


@pytest.mark.parametrize("asked", [True, False])
def test_another_server_in_its_place_is_told(asked: bool) -> None:
    """One that answers what it is asked, and one that speaks first."""
    with socket.create_server(("127.0.0.1", 0)) as server, running(FakeObs(port=server.getsockname()[1])) as run:
        connection, _ = server.accept()
        with connection:
            if asked:
                connection.recv(4096)
            connection.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
            wait_until(lambda: run.said)
        assert run.said[0].startswith("What answers does not speak obs-websocket 5")


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ({"text_source": "Camera"}, "OBS has no text source 'Camera'; there are: State."),
        ({"away_scene": "Gone"}, "OBS has no scene 'Gone'; there are: Away, Live."),
        ({"away_scene": "Away", "present_scene": "Gone"}, "OBS has no scene 'Gone'; there are: Away, Live."),
        ({"present_source": "Gone"}, "OBS has no source 'Gone'; there are: Camera, Clock, State."),
    ],
)
def test_what_obs_does_not_have_is_told_once_with_what_there_is(obs: FakeObs, setting: dict[str, str], sentence: str) -> None:
    obs.scene = "Away"
    with running(obs, **{**EVERYTHING, "away_scene": "", **setting}) as run:
        wait_until(lambda: sentence in run.said)
        lose(run, obs) if "text_source" not in setting else run.tell(Snapshot("idle"))
        wait_until(lambda: obs.scenes["Away"]["Clock"])
        run.tell(Snapshot("driving"))
        wait_until(lambda: not obs.scenes["Away"]["Clock"])
        assert run.said.count(sentence) == 1


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("127.0.0.1:4455", "127.0.0.1:4455"),
        ("localhost:1", "127.0.0.1:1"),
        ("[::1]:4455", "[::1]:4455"),
        ("127.9.9.9:5", "127.9.9.9:5"),
    ],
)
def test_this_computer_is_allowed(address: str, place: str) -> None:
    assert place_of(address, lan=False) == place


@pytest.mark.parametrize("address", ["192.168.1.7:4455", "studio.local:4455", "0.0.0.0:4455", "[fe80::1]:4455"])
def test_another_computer_only_when_the_user_says_so(address: str) -> None:
    with pytest.raises(InputError, match=r"plugins\.obs\.lan = true"):
        place_of(address, lan=False)
    assert place_of(address, lan=True) == address


@pytest.mark.parametrize(
    "address", ["", "4455", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:99999", "ws://127.0.0.1:1", "me@127.0.0.1:1", "a:1/b"]
)
def test_an_address_that_is_none_is_told(address: str) -> None:
    with pytest.raises(InputError, match="HOST:PORT"):
        place_of(address, lan=True)


def test_nothing_to_show_is_told() -> None:
    with pytest.raises(InputError, match="at least one of text_source"), PluginRun(ObsPlugin, present_scene="Live"):
        pass
