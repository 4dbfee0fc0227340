"""Jinja2 templates, style and script of what the suite writes, shipped as package data."""
