"""Following each inbox at the API: listing, fetching, deleting, and when to do which."""
