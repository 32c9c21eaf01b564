"""The preview page itself: one picture, one line of state, calibration."""

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>HifiHead Cam</title>
<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">
<style>
  body { margin: 0; background: #14171d; color: #d5dae2; font: 15px/1.5 system-ui, sans-serif; }
  main { max-width: 1280px; margin: 0 auto; padding: 16px; }
  img { width: 100%; max-height: 80vh; object-fit: contain; background: #000; border-radius: 8px; }
  p { margin: 10px 2px; } b { color: #fff; font-weight: 600; } #lost { color: #ffb86b; }
  button { font: inherit; color: inherit; background: #2a303b; border: 0; border-radius: 6px; padding: 4px 12px; }
  #dots { display: none; position: fixed; inset: 0; background: #14171d; cursor: none; }
  #dots i { position: absolute; width: 18px; height: 18px; margin: -9px; border-radius: 50%; background: #fff; }
</style></head><body><main>
<img id="picture" src="stream.mjpg" alt="What the virtual camera sends">
<p><b>HifiHead Cam</b> · <span id="state">connecting…</span> <span id="lost"></span></p>
<p><button id="recalibrate">Recalibrate</button> <button id="gaze">Calibrate gaze</button>
<span id="advice">Look straight ahead with a resting face, then press, or the key R.</span></p>
</main><div id="dots"><i></i></div><script>
const words = s => [s.state, s.fps + " pictures/s", s.latency_ms ? "delay " + Math.round(s.latency_ms) + " ms" : "",
                    s.source && "moved by " + s.source,
                    s.quality && s.quality !== "full" ? "quality: " + s.quality : "", s.engine, s.avatar,
                    "to " + s.sinks.join(", ")].filter(Boolean).join(" · ")
let lost = false
async function refresh() {
  try {
    document.getElementById("state").textContent = words(await (await fetch("state.json")).json())
    if (lost) { lost = false; document.getElementById("picture").src = "stream.mjpg?" + Date.now() }
    document.getElementById("lost").textContent = ""
  } catch {
    lost = true
    document.getElementById("state").textContent = ""
    document.getElementById("lost").textContent = "The program has stopped; start it again, and open the address that it names."
  }
  setTimeout(refresh, 1000)
}
async function command(path, done) {
  const answer = await fetch(path, { method: "POST" }).catch(() => null)
  const refusal = answer && answer.status === 409 ? await answer.text() : "That did not reach the program."
  document.getElementById("advice").textContent = answer && answer.ok ? done : refusal
  return answer && answer.ok
}
const recalibrate = () => command("recalibrate", "Your next expression is taken for rest.")
document.getElementById("recalibrate").onclick = recalibrate
// nine dots, ten seconds; the webcam is taken to be at the screen's upper edge, 60 cm away, and a CSS pixel to be 1/96 inch
const cm = px => px * 2.54 / 96, away = 60, wait = ms => new Promise(done => setTimeout(done, ms))
const dots = [[0, 0], [-1, -1], [0, -1], [1, -1], [1, 0], [1, 1], [0, 1], [-1, 1], [-1, 0]]
async function gaze() {
  const area = document.getElementById("dots"), dot = area.firstChild
  await document.documentElement.requestFullscreen().catch(() => null)
  area.style.display = "block"
  await wait(300)
  let going = true
  for (const [u, v] of dots) {
    const x = -0.45 * u * cm(innerWidth), y = -(0.5 + 0.45 * v) * cm(innerHeight), far = Math.hypot(x, y, away)
    dot.style.left = 50 + 45 * u + "%"; dot.style.top = 50 + 45 * v + "%"
    going = await command(`gaze/look?x=${x / far}&y=${y / far}`, "")
    if (!going) break
    await wait(1080)
  }
  if (going) await command("gaze/finish", "Your gaze is calibrated.")
  area.style.display = "none"
  if (document.fullscreenElement) document.exitFullscreen()
}
document.getElementById("gaze").onclick = gaze
document.onkeydown = event => {
  if (event.repeat || event.ctrlKey || event.altKey || event.metaKey) return
  if (event.key === "r") recalibrate()
  if (/^[1-9]$/.test(event.key)) command("play?number=" + event.key, "")
}
refresh()
</script></body></html>
"""
