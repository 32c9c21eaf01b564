"""From observations to motion: smoothing, the driver's neutral, retargeting, and life without a driver."""

from vcam.drive.drive import Drive, Driven, DriveOptions
from vcam.drive.retarget import Gains
from vcam.drive.smoothing import Smoothing

__all__ = ["Drive", "DriveOptions", "Driven", "Gains", "Smoothing"]
