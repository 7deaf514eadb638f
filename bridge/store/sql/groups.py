"""Conditions that the page lists entries by; an engine may have an index of each."""

_KNOWN = "delivered + failed + ordinary"
WAITING = "state IN ('queued', 'dispatching', 'held')"
UNDER_WAY = f"state = 'submitted' AND failed <= 0 AND recipient_count > {_KNOWN}"
# SQLite puts "= 0" in place of the column, and columns first: neither would be the index's then
FAILED = "(state = 'refused' OR state = 'submitted' AND failed > 0)"
UNCERTAIN = "state IN ('uncertain', 'restored')"
ENDED = "state IN ('cancelled', 'dropped')"
