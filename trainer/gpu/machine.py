"""What machine this is, and how fast its card multiplies and copies: without that no other speed says much."""

from __future__ import annotations

import os
import platform
import shutil
from pathlib import Path

import torch

from trainer.gpu.checks import CheckFailedError, Measures
from trainer.gpu.context import CheckContext

SIDE, SMALL_SIDE = 8192, 128
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - only its size is read
GIGA, TERA = 1e9, 1e12


def describe(context: CheckContext) -> Measures:
    """Raises CheckFailedError when a product is wrong."""
    side = SMALL_SIDE if context.small else SIDE
    torch.manual_seed(0)
    a, b = (torch.randn(side, side, device=context.device, dtype=torch.bfloat16) for _ in range(2))
    product_s = context.seconds(lambda: a @ b, 3 if context.small else 20)
    copy_s = context.seconds(a.clone, 3 if context.small else 20)
    exact = a[:4].float() @ b.float()
    wrong = float(((a @ b)[:4].float() - exact).abs().max() / exact.abs().max())
    if not wrong < 0.02:
        raise CheckFailedError(f"a product in bfloat16 is off by {wrong:.1%} of its largest value")
    return {
        "torch": torch.__version__,
        "python": platform.python_version(),
        "processors": float(os.cpu_count() or 0),
        "shared memory [GB]": round(shutil.disk_usage(SHARED_MEMORY).free / GIGA, 1) if SHARED_MEMORY.is_dir() else 0.0,
        "bfloat16 product [TFLOP/s]": round(2 * side**3 / product_s / TERA, 3),
        "copy [GB/s]": round(2 * a.nbytes / copy_s / GIGA, 1),
        **(_card(context) if context.on_gpu else {}),
    }


def _card(context: CheckContext) -> Measures:
    about = torch.cuda.get_device_properties(context.device)
    cudnn: int = torch.backends.cudnn.version()  # type: ignore[no-untyped-call]
    nccl: tuple[int, ...] = torch.cuda.nccl.version() if torch.distributed.is_nccl_available() else ()  # type: ignore[no-untyped-call]
    return {
        "card": about.name,
        "capability": f"{about.major}.{about.minor}",
        "memory [GB]": round(about.total_memory / GIGA, 1),
        "CUDA": str(torch.version.cuda),
        "cuDNN": str(cudnn),
        "nccl": ".".join(map(str, nccl)) or "absent",
    }
