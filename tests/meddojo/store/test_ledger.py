from __future__ import annotations

from datetime import UTC, datetime

from meddojo.finding import Stream
from meddojo.store import Store
from meddojo.store.ledger import DeliveredFinding, DeliveryState

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
VULNERABILITIES, COMPLIANCE = Stream.VULNERABILITIES, Stream.COMPLIANCE


def delivered(name: str, state: DeliveryState = DeliveryState.OPEN, number: int | None = None) -> DeliveredFinding:
    return DeliveredFinding(
        name, state, number, {"title": f"Überlauf in {name}", "cwe": 787, "tags": ["a"], "fix": None}
    )


def test_what_was_delivered_is_remembered_by_sink_device_and_stream(store: Store) -> None:
    store.ledger.keep("defectdojo", "pump", VULNERABILITIES, [delivered("a"), delivered("b", number=7)])
    assert store.ledger.delivered("defectdojo", "pump", VULNERABILITIES) == {
        "a": delivered("a"),
        "b": delivered("b", number=7),
    }
    for key in (
        ("other", "pump", VULNERABILITIES),
        ("defectdojo", "monitor", VULNERABILITIES),
        ("defectdojo", "pump", COMPLIANCE),
    ):
        assert store.ledger.delivered(*key) == {}


def test_a_finding_is_replaced_and_its_neighbours_stay(store: Store) -> None:
    store.ledger.keep("defectdojo", "pump", VULNERABILITIES, [delivered("a"), delivered("b")])
    store.ledger.keep("defectdojo", "pump", VULNERABILITIES, [delivered("a", DeliveryState.CLOSED, 5)])
    store.ledger.keep("defectdojo", "pump", VULNERABILITIES, [])
    assert store.ledger.delivered("defectdojo", "pump", VULNERABILITIES) == {
        "a": delivered("a", DeliveryState.CLOSED, 5),
        "b": delivered("b"),
    }


def test_one_finding_in_two_sinks_is_two_rows(store: Store) -> None:
    store.ledger.keep("one", "pump", VULNERABILITIES, [delivered("a", number=1)])
    store.ledger.keep("two", "pump", VULNERABILITIES, [delivered("a", number=2)])
    assert store.ledger.delivered("one", "pump", VULNERABILITIES)["a"].remote_id == 1


def test_streams_have_the_number_of_the_sink(store: Store) -> None:
    assert store.ledger.stream_remote_id("defectdojo", "pump", VULNERABILITIES) is None
    store.ledger.keep_stream("defectdojo", "pump", VULNERABILITIES, None, NOW)
    store.ledger.keep_stream("defectdojo", "pump", VULNERABILITIES, 12, NOW)
    store.ledger.keep_stream("defectdojo", "pump", COMPLIANCE, None, NOW)
    store.ledger.keep_stream("other", "pump", COMPLIANCE, 99, NOW)
    assert store.ledger.stream_remote_id("defectdojo", "pump", VULNERABILITIES) == 12
    assert store.ledger.streams("defectdojo") == {("pump", VULNERABILITIES): 12, ("pump", COMPLIANCE): None}
