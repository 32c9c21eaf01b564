"""Cameras: a webcam, or a video file that behaves like one. Their pictures go to the tracking stage and nowhere else."""
