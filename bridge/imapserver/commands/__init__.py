"""What each command does: handlers by theme, listed in ``imapserver.table``.

Raises:
    No: the command failed; the reply is NO.
    Bad: the command may not be given now, or not like that; the reply is BAD.
"""
