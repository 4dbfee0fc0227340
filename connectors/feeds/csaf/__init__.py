"""Security advisories in the Common Security Advisory Framework (OASIS CSAF 2.0 and 2.1)."""

from connectors.feeds.csaf.document import parse_document
from connectors.feeds.csaf.feed import CsafFeed, build

__all__ = ["CsafFeed", "build", "parse_document"]
