"""From observations to motion: smoothing, the driver's neutral, retargeting, and life without a driver."""

from vcam.drive.drive import Drive, Driven, DriveOptions
from vcam.drive.gains import Gains, Limits
from vcam.drive.idle import IdleLife
from vcam.drive.smoothing import Smoothing

__all__ = ["Drive", "DriveOptions", "Driven", "Gains", "IdleLife", "Limits", "Smoothing"]
