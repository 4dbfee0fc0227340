"""CISA's Known Exploited Vulnerabilities catalogue."""

from connectors.feeds.kev.feed import KevFeed, build, parse_row

__all__ = ["KevFeed", "build", "parse_row"]
