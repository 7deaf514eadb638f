"""The remote: PEC Massiva's REST API and all that is known of its moods.

The only package that imports httpx, and the only one that knows a JSON field name. It never
sees MIME, a mailbox or the store.
"""
