"""Scan reports and software bills of materials, as devices' owners and vendors hand them over."""
