"""The road from feeds to sinks, and the command line that walks it."""
