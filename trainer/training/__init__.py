"""What every training of ours shares: checkpoints, averaged weights, several processes, progress."""
