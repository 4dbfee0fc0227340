"""What the dependency graph of an SBOM says about the risk of its parts."""
