"""One reader for every way sources write versions, their order, and whether an installed one is among them."""
