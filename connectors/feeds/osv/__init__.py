"""Advisories about packages in the Open Source Vulnerability format (https://ossf.github.io/osv-schema, 1.0 to 1.7)."""

from connectors.feeds.osv.feed import OsvFeed, build
from connectors.feeds.osv.record import parse_record

__all__ = ["OsvFeed", "build", "parse_record"]
