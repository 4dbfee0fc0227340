"""The Exploit Prediction Scoring System of FIRST."""

from connectors.feeds.epss.feed import EpssFeed, build, parse_rows

__all__ = ["EpssFeed", "build", "parse_rows"]
