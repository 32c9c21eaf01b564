"""``python -m trainer check-gpu``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from engine.errors import ConfigError, HifiHeadError


def check_gpu(
    out: Annotated[Path, typer.Option(help="Folder of the report: report.json and report.md.")] = Path("check-gpu"),
    only: Annotated[list[str] | None, typer.Option(help="Only this check; repeatable.")] = None,
    device: Annotated[str, typer.Option(help="cuda; or cpu: the same checks in small, as a proof of themselves.")] = "cuda",
) -> None:
    """Prove on this machine, in less than ten minutes, all that needs an NVIDIA GPU: engines, precision, nccl, speed."""
    from trainer.gpu.checks import CHECKS
    from trainer.gpu.run import TEXT, in_process_of_its_own, lines, run_checks, write_report

    unknown = sorted(set(only or ()) - set(CHECKS))
    if unknown or device not in ("cuda", "cpu"):
        raise ConfigError(f"There are the checks {', '.join(CHECKS)} and the devices cuda and cpu; got {unknown or device!r}.")
    if device == "cuda":
        require_cuda()
    outcomes = []
    for outcome in run_checks(only or list(CHECKS), device, in_process_of_its_own):
        outcomes.append(outcome)
        typer.echo("\n".join(lines(outcome)))
    write_report(out, device, outcomes)
    left = ", ".join(one.name for one in outcomes if not one.proven)
    typer.echo(f"{out / TEXT}: " + (f"not proven: {left}." if left else "everything is proven."))
    if left:
        raise typer.Exit(1)


def require_cuda() -> None:
    """Raises HifiHeadError when torch is not there or finds no CUDA."""
    try:
        import torch
    except ImportError as error:
        raise HifiHeadError("check-gpu needs PyTorch, which is not installed.") from error
    if not torch.cuda.is_available():
        raise HifiHeadError(
            f"PyTorch {torch.__version__} finds no CUDA on this machine: there is nothing to check. Wanted: an NVIDIA GPU with "
            "its driver, and PyTorch's build for CUDA."
        )
