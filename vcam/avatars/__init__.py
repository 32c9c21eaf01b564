"""Avatars: a photograph, ready to be animated and set into its surroundings; and the cards that replace it."""
