"""Cases: read, checked, divided by patient, and made ready for a network."""
