"""A scheduler process whose jobs are due as often as every second."""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path
from typing import Any

from apscheduler.triggers.cron import CronTrigger

from meddojo.config import Config, JobConfig
from meddojo.store import Store
from scheduler.console import Console
from scheduler.jobs import Schedule, Timing

JOB = str(Path(__file__).with_name("quick_job.py"))
QUICK = {"beat": 0.05, "observe": 0.5, "standby": 0.1, "stop_grace": 3.0, "kill_grace": 0.5}


def serve(order: dict[str, Any]) -> int:
    """Lead or stand by, as the order says."""
    jobs = tuple(JobConfig(name=name, cron="* * * * *", **order["job"]) for name in order["jobs"])
    with Store(order["url"]) as store:
        service = Schedule(
            Config(jobs=jobs),
            store,
            Console(),
            timing=Timing(**{**QUICK, **order["timing"]}),
            trigger_of=lambda _: CronTrigger(second=order["second"]),
            command_of=lambda _: [sys.executable, JOB, json.dumps(order)],
        )
        signal.signal(signal.SIGTERM, service.stop)
        signal.signal(signal.SIGINT, service.stop)
        return int(service.serve())


if __name__ == "__main__":
    sys.exit(serve(json.loads(sys.argv[1])))
