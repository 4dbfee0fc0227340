"""Survival from a risk: the Cox likelihood, its fit, the C-index."""
