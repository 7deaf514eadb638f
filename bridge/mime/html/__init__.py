"""HTML: made of plain text, read as text, made fit to travel alone."""
