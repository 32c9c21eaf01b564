"""Evaluating geometry on rendered people, whose every moment is known exactly: ``python -m trainer evaluate geometry``."""
