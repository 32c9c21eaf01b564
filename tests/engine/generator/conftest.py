"""One torch thread: pictures are small here, and a busy machine makes waiting threads slow."""

import torch

torch.set_num_threads(1)
