"""Groups of commands of ``meddojo``, one module each."""
