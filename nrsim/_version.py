"""The version, read from the installed metadata, so that it stands in pyproject.toml alone."""

from importlib import metadata

try:
    __version__ = metadata.version("nrsim")
except metadata.PackageNotFoundError:  # a checkout that was never installed
    __version__ = "0+unknown"
