"""PET/CT cases of patients who never were."""
