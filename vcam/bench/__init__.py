"""What ``hifihead bench`` measures: the whole pipeline, and every engine by itself."""
