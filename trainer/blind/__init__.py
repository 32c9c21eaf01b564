"""A blind look: people choose between two pictures of which they do not know how they were made; what they say is counted."""
