"""Charsets that mail names, and text in them: below all that reads mail, and without I/O."""
