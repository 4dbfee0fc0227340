"""Vendor and product names: reading them, laying them side by side, and how probably two mean the same."""
