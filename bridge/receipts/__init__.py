"""Receipts: the API's evidence about a submission."""

from bridge.receipts.claim import claim

__all__ = ["claim"]
