"""The errors of HifiHead Cam.

HifiHeadError          a sentence for the user: what was wanted, what was got, what to do
├── InputError         a picture or video cannot be used (missing, not an image, no face, …)
├── ConfigError        a setting is unknown, of the wrong type or impossible
├── DeviceError        a camera or virtual camera is absent, busy or forbidden
└── AssetError         a file of the program is missing, damaged or of another version

Errors of other libraries are translated where they enter, with ``raise … from error``. A command line prints the
sentence and leaves with status 1; anything that is not a ``HifiHeadError`` is a defect of the program.
"""


class HifiHeadError(Exception):
    """Base of all errors that a user can cause or cure; its text is shown as it is."""


class InputError(HifiHeadError):
    """A picture or video cannot be used."""


class ConfigError(HifiHeadError):
    """A setting is unknown, of the wrong type or impossible."""


class DeviceError(HifiHeadError):
    """A camera or virtual camera is absent, busy or forbidden."""


class AssetError(HifiHeadError):
    """A file of the program is missing, damaged or of another version."""
