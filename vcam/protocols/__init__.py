"""Motion protocols of other programs: bytes to a ``StreamedFace`` and back, as pure functions. docs/streams.md has layouts."""
