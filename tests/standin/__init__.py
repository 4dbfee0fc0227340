"""A stand-in for DefectDojo 3.2.0: an HTTP server with the behaviour the tests of the connector rely on.

    with DefectDojoStandin() as dojo:
        dojo.faults.add(match=("POST", "/api/v2/reimport-scan/"), kind="drop_after")
        push(dojo.url, dojo.token)
        dojo.decide(dojo.findings[0]["id"], "false_p")
        assert dojo.overlaps == 0

What it does was compared with a running server: see ``tests/standin_tests/test_observed.py``. It differs in that it
knows the Generic Findings format only, answers no address beyond those of ``views.py``, applies one upload after the
other under a lock, so that overlapping uploads are counted and do no harm, and lists tests and products in a jumbled
but steady order, where the server promises none.
"""

from tests.standin.faults import Faults
from tests.standin.server import DefectDojoStandin, Exchange

__all__ = ["DefectDojoStandin", "Exchange", "Faults"]
