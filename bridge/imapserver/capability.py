"""What the server says it can do, by state. Only what is whole is named (docs/rfcs.md)."""

from __future__ import annotations

from bridge.imapserver.session import Session, SessionState

ALWAYS = ("IMAP4rev1", "IMAP4rev2", "LITERAL+", "SASL-IR", "ID", "ENABLE")
AFTER_LOGIN = (
    "BINARY",
    "CATENATE",
    "CHILDREN",
    "CONDSTORE",
    "CREATE-SPECIAL-USE",
    "ESEARCH",
    "ESORT",
    "IDLE",
    "LIST-EXTENDED",
    "LIST-STATUS",
    "MOVE",
    "MULTIAPPEND",
    "NAMESPACE",
    "NOTIFY",
    "OBJECTID",
    "PARTIAL",
    "PREVIEW",
    "QRESYNC",
    "SAVEDATE",
    "SEARCHRES",
    "SORT",
    "SORT=DISPLAY",
    "SPECIAL-USE",
    "STATUS=SIZE",
    "THREAD=ORDEREDSUBJECT",
    "THREAD=REFERENCES",
    "UIDPLUS",
    "UNSELECT",
    "UTF8=ACCEPT",
    "WITHIN",
)


def capabilities(session: Session) -> str:
    """Return the capability list as it stands in this state (RFC 3501 §7.2.1)."""
    names = list(ALWAYS)
    if session.state is SessionState.NOT_AUTHENTICATED:
        if session.output.can_start_tls:
            names.append("STARTTLS")
        if session.output.secure:
            names += ["AUTH=PLAIN", "AUTH=LOGIN"]
        else:
            names.append("LOGINDISABLED")
        return " ".join(names)
    names += AFTER_LOGIN
    names.append(f"APPENDLIMIT={session.services.append_limit_bytes}")
    if session.services.quota is not None:
        names += ["QUOTA", "QUOTA=RES-STORAGE"]
    if session.output.can_compress:
        names.append("COMPRESS=DEFLATE")
    return " ".join(names)
