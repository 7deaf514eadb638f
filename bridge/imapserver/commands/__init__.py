"""What each command does: handlers by theme, listed in ``imapserver.table``."""
