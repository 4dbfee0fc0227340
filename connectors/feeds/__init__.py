"""Sources of advisories, vulnerabilities, known exploitation and EPSS, one folder each."""
