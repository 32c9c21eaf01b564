"""Where driving pictures come from: a webcam, or a video file that behaves like one."""
