"""What the API writes of a message (sender, recipients, body), read into names and text."""
