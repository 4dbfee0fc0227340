"""The trained models that are shipped: weights, figures and a card each; nothing here is executed but this line."""

from __future__ import annotations

from pathlib import Path

_HERE = Path(__file__).parent
SARCOMA = _HERE / "sarcoma"
"""Soft-tissue sarcoma on FDG-PET/CT: networks that are averaged."""
SYNTHETIC = _HERE / "synthetic"
"""Lesions and risk on synthetic slabs: what the demonstration shows."""
