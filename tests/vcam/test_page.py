"""The script of the preview page, run by Node with a page that has nothing but names and texts."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import asdict

import pytest

from vcam.snapshot import Snapshot
from vcam.web.page import PAGE

PAGE_OF_NAMES = """
const elements = {}, timers = []
const document = { getElementById: name => elements[name] ??= { textContent: "", src: "" } }
const setTimeout = later => timers.push(later)
let answers = true
const fetch = async () => { if (!answers) throw Error("refused"); return { json: async () => (SNAPSHOT) } }
SCRIPT
const settled = () => new Promise(done => setImmediate(done))
const said = [], look = async () => { await settled(); said.push([elements.state.textContent, elements.lost?.textContent ?? ""]) }
const main = async () => {
  await look()
  answers = false; timers.pop()(); await look()
  answers = true; timers.pop()(); await look()
  console.log(JSON.stringify(said))
}
main()
"""


@pytest.mark.skipif(shutil.which("node") is None, reason="Node is not installed")
def test_the_page_of_a_stopped_program_does_not_go_on_driving() -> None:
    script = PAGE.split("<script>")[1].split("</script>")[0]
    snapshot = json.dumps(asdict(Snapshot("driving", fps=25.0)))
    program = PAGE_OF_NAMES.replace("SNAPSHOT", snapshot).replace("SCRIPT", script)
    done = subprocess.run(["node", "-e", program], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    running, stopped, again = json.loads(done.stdout)
    assert running[0].startswith("driving · 25 pictures/s")
    assert running[1] == ""
    assert "driving" not in stopped[0]
    assert "has stopped" in stopped[1]
    assert again == running


PAGE_OF_DOTS = """
const dot = { style: {} }, places = [], asked = []
const elements = { dots: { style: {}, firstChild: dot } }
const document = { getElementById: name => elements[name] ??= { textContent: "", src: "" },
                   documentElement: { requestFullscreen: async () => { throw Error("refused") } } }
const innerWidth = 1920, innerHeight = 1080
const setTimeout = (later, ms) => ms === 1000 ? 0 : setImmediate(later)
const fetch = async (path, options) => {
  if (!options) return { json: async () => (SNAPSHOT) }
  asked.push(path); places.push([dot.style.left, dot.style.top])
  return { ok: true, status: 204 }
}
SCRIPT
gaze().then(() => console.log(JSON.stringify([asked, places, elements.dots.style.display, elements.advice.textContent])))
"""


@pytest.mark.skipif(shutil.which("node") is None, reason="Node is not installed")
def test_nine_dots_are_shown_and_told_with_their_directions() -> None:
    script = PAGE.split("<script>")[1].split("</script>")[0]
    program = PAGE_OF_DOTS.replace("SNAPSHOT", json.dumps(asdict(Snapshot("driving")))).replace("SCRIPT", script)
    done = subprocess.run(["node", "-e", program], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    asked, places, display, advice = json.loads(done.stdout)
    assert asked[-1] == "gaze/finish"
    assert len(set(map(tuple, places[:9]))) == len(set(asked[:9])) == 9
    assert (display, advice) == ("none", "Your gaze is calibrated.")
    left = next(path for path, place in zip(asked, places, strict=True) if place == ["5%", "50%"])
    x, y = (float(part.split("=")[1]) for part in left.split("?")[1].split("&"))
    assert 0.3 < x < 0.4  # the screen's left is the driver's left: 23 of 60 cm
    assert -0.3 < y < -0.15  # below the webcam
