"""Plug-ins: what they may do, how they are found, and the threads on which they run. docs/plugins.md is for their authors."""

from vcam.plugins.interface import SOUND_RATE_HZ, Background, Controls, PluginContext, PluginSettings

__all__ = ["SOUND_RATE_HZ", "Background", "Controls", "PluginContext", "PluginSettings"]
