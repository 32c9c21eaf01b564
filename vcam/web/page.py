"""The preview page itself: one picture, one line of state, one button."""

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>HifiHead Cam</title>
<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">
<style>
  body { margin: 0; background: #14171d; color: #d5dae2; font: 15px/1.5 system-ui, sans-serif; }
  main { max-width: 1280px; margin: 0 auto; padding: 16px; }
  img { width: 100%; max-height: 80vh; object-fit: contain; background: #000; border-radius: 8px; }
  p { margin: 10px 2px; } b { color: #fff; font-weight: 600; } #lost { color: #ffb86b; }
  button { font: inherit; color: inherit; background: #2a303b; border: 0; border-radius: 6px; padding: 4px 12px; }
</style></head><body><main>
<img id="picture" src="stream.mjpg" alt="What the virtual camera sends">
<p><b>HifiHead Cam</b> · <span id="state">connecting…</span> <span id="lost"></span></p>
<p><button id="recalibrate">Recalibrate</button> <span id="advice">Look straight ahead with a resting face, then press.</span></p>
</main><script>
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
document.getElementById("recalibrate").onclick = async () => {
  const answer = await fetch("recalibrate", { method: "POST" }).catch(() => null)
  const refusal = answer && answer.status === 409 ? await answer.text() : "That did not reach the program."
  document.getElementById("advice").textContent = answer && answer.ok ? "Your next expression is taken for rest." : refusal
}
refresh()
</script></body></html>
"""
