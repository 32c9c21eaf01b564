"""What preparing videos would take: disk and processor hours, from what was measured on small sets."""

from __future__ import annotations

from dataclasses import dataclass

from rich.console import Console

from trainer.data.shards import CROP_PX

CROP_MB, SCENE_MB = 0.045, 5.4  # a crop in its shard; a scene of four targets and somebody else's motion
CROP_S, SCENE_S = 0.05, 3.0  # of one core (AMD EPYC, 2 GHz and more)
CHECKPOINT_GB = 1.5  # of ``paper`` with its average, both optimisers and the discriminator, at most
HOUR_S, GB = 3600.0, 1000.0


@dataclass(frozen=True)
class DataPlan:
    """``videos`` of so many seconds each, sampled ``frames_per_second``, with ``scenes`` made of each."""

    videos: int
    seconds: float
    frames_per_second: float = 5.0
    scenes: int = 3

    @property
    def crops(self) -> int:
        """Of all videos, at most."""
        return round(self.videos * self.seconds * self.frames_per_second)

    @property
    def disk_gb(self) -> dict[str, float]:
        """What stands on the disk at the end; the videos themselves come on top."""
        return {
            "crops": self.crops * CROP_MB / GB,
            "scenes": self.videos * self.scenes * SCENE_MB / GB,
            "run": CHECKPOINT_GB,
        }

    @property
    def core_hours(self) -> dict[str, float]:
        """Of processors; all cores are used, and with --ray many machines."""
        return {"crops": self.crops * CROP_S / HOUR_S, "scenes": self.videos * self.scenes * SCENE_S / HOUR_S}


def show_data(found: DataPlan, console: Console) -> None:
    """Prints what the data take."""
    disk, hours = found.disk_gb, found.core_hours
    scenes, together = found.videos * found.scenes, sum(disk.values())
    console.print(
        f"{found.videos:,} videos of {found.seconds:g} s: {found.crops:,} crops of {CROP_PX}², {disk['crops']:.0f} GB and "
        f"{hours['crops']:.1f} core hours; {scenes:,} scenes, {disk['scenes']:.0f} GB and {hours['scenes']:.1f} core hours; a "
        f"checkpoint {disk['run']:.1f} GB. Together {together:.0f} GB beside the videos."
    )
