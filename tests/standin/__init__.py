"""A stand-in for DefectDojo 3.2.0: an HTTP server with the behaviour the tests of the connector rely on."""

from tests.standin.faults import Faults
from tests.standin.server import DefectDojoStandin, Exchange

__all__ = ["DefectDojoStandin", "Exchange", "Faults"]
