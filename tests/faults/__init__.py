"""What breaks, and that nothing leaks: make test-faults. Not part of the quick suite."""
