"""What is wrong with a model: unsafe or changed files, and how it does on cases of today."""
