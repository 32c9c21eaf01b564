"""The FAR generator: F_s of the photograph once, then one picture per z.

``live`` is the class that live use sees (numpy in, numpy out, no torch). ``far``, ``layers``, ``flow`` and
``compose_torch`` are the same network in torch, imported by the trainer, the exporter and the tests only. ``docs/generator.md``
tells the whole story.
"""
