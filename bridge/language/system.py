"""What the operating system and SQLite say when they refuse something, in both languages.

Their words are English in this program, whatever the system's language. Whoever puts it
into a sentence needs to do nothing: a value that is the text of one of these is translated with it.
What is not listed here is shown as it is.
"""

from __future__ import annotations

from bridge.language.sentence import say

SYSTEM_WORDS = (
    say("Address already in use"),
    say("Argument list too long"),
    say("Bad file descriptor"),
    say("Broken pipe"),
    say("Cannot allocate memory"),
    say("Cannot assign requested address"),
    say("Connection refused"),
    say("Connection reset by peer"),
    say("Connection timed out"),
    say("Device or resource busy"),
    say("Directory not empty"),
    say("Disk quota exceeded"),
    say("Exec format error"),
    say("File exists"),
    say("File name too long"),
    say("File too large"),
    say("Input/output error"),
    say("Invalid argument"),
    say("Invalid cross-device link"),
    say("Is a directory"),
    say("Name or service not known"),
    say("Network is unreachable"),
    say("No route to host"),
    say("No space left on device"),
    say("No such device or address"),
    say("No such file or directory"),
    say("Not a directory"),
    say("Operation not permitted"),
    say("Operation not supported"),
    say("Permission denied"),
    say("Read-only file system"),
    say("Resource temporarily unavailable"),
    say("Stale file handle"),
    say("Temporary failure in name resolution"),
    say("Text file busy"),
    say("Too many levels of symbolic links"),
    say("Too many open files"),
    say("attempt to write a readonly database"),
    say("database disk image is malformed"),
    say("database is locked"),
    say("database or disk is full"),
    say("disk I/O error"),
    say("file is not a database"),
    say("unable to open database file"),
)
