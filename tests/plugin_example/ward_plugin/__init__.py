"""What the technicians of one ward know, look at and want to read."""
