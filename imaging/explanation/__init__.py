"""What in an image moved a network."""
