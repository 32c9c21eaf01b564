"""Evaluating an avatar from several photographs on people of whom there are more: ``python -m trainer evaluate photographs``."""
