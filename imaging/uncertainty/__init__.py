"""How sure a segmentation is: samples of a network, maps, calibration, and which cases a person should review."""
