"""``hifihead setup``: what makes the camera permanent on this system, step by step, and takes it away again."""
