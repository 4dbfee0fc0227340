"""How often NVD may be asked.

Source: NVD, "Start Here", rate limits: 5 requests in a rolling window of 30 seconds, 50 with an API key.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

PERIOD_SECONDS = 31.0
"""NVD's 30, and one for requests that spend more time on the way than later ones."""


@dataclass(frozen=True, slots=True)
class RequestLimiter:
    """Lets at most `requests` pass in any period; time spent otherwise counts, so only what is missing is waited.

    Attributes
    ----------
    requests
        0 for no limit.
    clock
        Seconds that never go back.
    """

    requests: int
    period_seconds: float = PERIOD_SECONDS
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    _sent: deque[float] = field(default_factory=deque, repr=False, compare=False)

    def wait(self) -> None:
        """Return as soon as a request may be sent, and count it."""
        if not self.requests:
            return
        while len(self._sent) >= self.requests:
            rest = self._sent[0] + self.period_seconds - self.clock()
            if rest > 0:
                self.sleep(rest)
            else:
                self._sent.popleft()
        self._sent.append(self.clock())
