"""PipeWire, the media server of Linux desktops: a camera without a kernel module. Uses libpipewire, which each of them has."""
