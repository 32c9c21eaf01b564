"""Sound: libpulse on Linux, PortAudio elsewhere, and a line that delays what was heard."""
