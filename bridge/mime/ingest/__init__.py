"""All that IMAP can ask of a message, worked out once, when it comes in."""

from bridge.mime.ingest.message import Ingested, SearchText, SortKeys, ingest

__all__ = ["Ingested", "SearchText", "SortKeys", "ingest"]
