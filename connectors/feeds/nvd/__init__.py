"""The National Vulnerability Database, API 2.0."""

from connectors.feeds.nvd.feed import NvdFeed, build
from connectors.feeds.nvd.record import parse_record

__all__ = ["NvdFeed", "build", "parse_record"]
