"""Smaller and faster: pruning, eight bits, and the compressed network at work without TensorFlow."""
