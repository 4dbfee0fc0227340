"""Readers and writers of image files, one module a format."""
