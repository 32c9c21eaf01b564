"""Plug-ins, each a module or package: loaded only when it is switched on. docs/plugins.md says how they are written."""
