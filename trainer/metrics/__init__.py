"""Measures of generated pictures and of the motion in them."""
