"""DefectDojo: findings go in by reimport, people's decisions come back.

`client` speaks the API, `plan` decides what to do from what the server shows and what the ledger remembers, `sink`
does it until the server shows what it should. Observed against DefectDojo 3.2.
"""

from connectors.sinks.defectdojo.sink import build

__all__ = ["build"]
