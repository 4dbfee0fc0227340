"""A script of faults: what the server does instead of, or after, answering properly."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["status", "html", "hang", "drop", "drop_after", "hang_after", "break_half_way"]
HTML_PAGE = "<!DOCTYPE html><html><head><title>Sign in</title></head><body>Proxy: please sign in</body></html>"


@dataclass
class Fault:
    """One entry of the script.

    Parameters
    ----------
    match : (str, str)
        Method (``"*"`` for any) and beginning of the path.
    kind : str
        ``status``: answer *status* with *headers* and *body*, without looking at the request. ``html``: 200 with
        the page of a proxy. ``hang``: say nothing for *seconds*, then close. ``drop``: close at once.
        ``drop_after`` and ``hang_after``: do everything the request asks, then close without an answer.
        ``break_half_way``: an upload fails with 500 after half of its findings.
    times : int
        How many matching requests it strikes.
    skip : int
        How many matching requests pass before.
    """

    match: tuple[str, str]
    kind: Kind
    status: int = 500
    headers: dict[str, str] = field(default_factory=dict)
    body: str = '{"message": "Internal server error, check logs for details"}'
    seconds: float = 0.0
    times: int = 1
    skip: int = 0

    def fits(self, method: str, path: str) -> bool:
        """Whether the request is one of those the fault is about."""
        return self.match[0] in ("*", method) and path.startswith(self.match[1])


class Faults:
    """The script, consumed request by request."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._script: list[Fault] = []
        self.struck: list[tuple[str, str, str]] = []

    def add(
        self,
        match: tuple[str, str],
        kind: Kind,
        *,
        status: int = 500,
        headers: dict[str, str] | None = None,
        body: str = '{"message": "Internal server error, check logs for details"}',
        seconds: float = 0.0,
        times: int = 1,
        skip: int = 0,
    ) -> None:
        """Append a fault; see :class:`Fault`."""
        with self._lock:
            self._script.append(Fault(match, kind, status, headers or {}, body, seconds, times, skip))

    def clear(self) -> None:
        """Forget every fault that has not struck yet."""
        with self._lock:
            self._script.clear()

    def pending(self) -> int:
        """How many strikes are left."""
        with self._lock:
            return sum(fault.times for fault in self._script)

    def take(self, method: str, path: str) -> Fault | None:
        """The fault that strikes this request, if any."""
        with self._lock:
            for fault in self._script:
                if not fault.fits(method, path):
                    continue
                if fault.skip > 0:
                    fault.skip -= 1
                    continue
                fault.times -= 1
                self._script = [left for left in self._script if left.times > 0]
                self.struck.append((method, path, fault.kind))
                return fault
            return None
