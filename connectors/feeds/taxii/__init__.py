"""Threat intelligence from TAXII 2.1 servers and STIX 2.1 bundles."""

from connectors.feeds.taxii.feed import TaxiiFeed, build
from connectors.feeds.taxii.stix import parse_object

__all__ = ["TaxiiFeed", "build", "parse_object"]
