"""Where pictures go: the virtual camera, the preview page, an MP4 file."""
