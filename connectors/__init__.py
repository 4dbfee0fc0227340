"""The outside world, in and out: feeds, scan reports, sinks. No judgement here."""
