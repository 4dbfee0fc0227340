"""Judgement: each analyzer takes the case of one device and yields findings or enriches them."""
