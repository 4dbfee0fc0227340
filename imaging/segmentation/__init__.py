"""Outlines of lesions: losses, training, prediction, and what they are measured by."""
