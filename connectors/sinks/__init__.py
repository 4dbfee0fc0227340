"""Where findings go: DefectDojo, and a local report."""
