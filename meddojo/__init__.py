"""The vocabulary every other room speaks: frozen dataclasses, protocols, configuration and the store."""

__version__ = "0.1.0"
