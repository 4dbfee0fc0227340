"""CVE records: applicability statements, products their assigner names, descriptions, and packages."""
