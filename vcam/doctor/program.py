"""Settings, models and the preview page's port."""

from __future__ import annotations

from vcam.doctor.finding import Command, Finding
from vcam.doctor.system import ProgramFacts, System


def settings(facts: ProgramFacts) -> Finding:
    """The settings file, and what it names: photograph, engine, and models, without which the camera works all the same."""
    where = str(facts.settings_path) if facts.settings_path else "the defaults"
    for complaint in (facts.settings_error, facts.portrait_error, facts.engine_error):
        if complaint:
            return Finding("settings", "failed", complaint, (f"Correct {where} there, and save it.",))
    own = (("generator", "runtime.bundle", facts.bundle_error), ("network", "tracking.network", facts.network_error))
    for model, name, complaint in own:
        if complaint:
            fix = f'Train or export it again, or set {name} = "" in {where}.'
            return Finding("settings", "absent", f"{complaint} The {model} that ships is used", (fix,))
    return Finding("settings", "ok", where)


def models(system: System, facts: ProgramFacts) -> Finding:
    """The bundles, compared with their own manifests."""
    wrong = next((model for model in facts.models if model.complaint), None)
    if wrong is None:
        return Finding("models", "ok", ", ".join(f"{model.name} {model.sha256[:8]}".rstrip() for model in facts.models))
    checkout = system.python.checkout
    again = "Install HifiHead Cam again: its files are damaged."
    fix = Command(f"git -C {checkout} checkout -- engine/assets") if checkout else again
    return Finding("models", "failed", f"{wrong.name}: {wrong.complaint}", (fix,))


def preview(facts: ProgramFacts) -> Finding:
    """Whether the preview page can listen on its port."""
    output, port = facts.settings.output, facts.settings.preview.port
    if output.sink not in ("auto", "preview"):
        return Finding("preview page", "absent", f"not wanted: output.sink is '{output.sink}'")
    if facts.port_error:
        fix = "Set preview.port = 0 in the settings file: any free port is taken then."
        return Finding("preview page", "failed", facts.port_error, (fix,))
    return Finding("preview page", "ok", f"127.0.0.1, port {port}" if port else "127.0.0.1, any free port")
