"""Several photographs of one person: what the further ones show is drawn where a motion asks for it."""
