"""What stands in the way of a call on this machine, and the exact cure: ``look`` finds facts, ``examine`` judges them."""

from vcam.doctor.examine import examine
from vcam.doctor.finding import MARKS, Finding, usable
from vcam.doctor.system import System

__all__ = ["MARKS", "Finding", "System", "examine", "usable"]
