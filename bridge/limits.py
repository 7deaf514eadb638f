"""Every size, count, depth and rate of what comes from outside, in one place. Values only.

``docs/limits.md`` is written from this table. Who adds a limit adds its row: what it bounds, who
meets it, what he is told, and the test that falls without it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

KIB: Final = 1024
MIB: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limit:
    """One row: ``setting`` is the configuration's key that changes it, "" for none."""

    what: str
    value: float
    unit: str
    met_by: str
    told: str
    test: str
    setting: str = ""


_TABLE: list[Limit] = []


def _bytes(what: str, value: int, **row: str) -> int:
    _TABLE.append(Limit(what, value, "bytes", **row))
    return value


def _count(what: str, value: int, **row: str) -> int:
    _TABLE.append(Limit(what, value, "", **row))
    return value


def _seconds(what: str, value: float, **row: str) -> float:
    _TABLE.append(Limit(what, value, "s", **row))
    return value


# -- IMAP, whoever speaks --------------------------------------------------------------------------

IMAP_LINE_BYTES = _bytes(
    "a command's text outside its literals",
    64 * KIB,
    met_by="a user",
    told="`BAD`; the command is skipped",
    test="tests/imap/test_framing.py::test_a_line_too_long_is_refused_before_its_end",
)
IMAP_LITERALS = _count(
    "literals in a command",
    1000,
    met_by="a user",
    told="`NO [TOOBIG]`; the command is skipped",
    test="tests/imap/test_framing.py::test_too_many_literals_are_refused",
)
IMAP_LITERALS_FACTOR = _count(
    "all literals of a command, in times the largest one",
    4,
    met_by="a user",
    told="`NO [TOOBIG]`; the command is skipped",
    test="tests/imap/test_framing.py::test_literals_have_a_limit_in_sum",
)
IMAP_LITERALS_BYTES = _bytes(
    "large literals of commands that are carried out at once, all together (or one command)",
    24 * MIB,
    met_by="a user",
    told="nothing: the others are on the disk until their turn comes",
    test="tests/costs/test_imap_streams.py::test_large_literals_wait_on_the_disk",
)
IMAP_READ_AHEAD_BYTES = _bytes(
    "what a client sends faster than it is served",
    512 * KIB,
    met_by="anybody",
    told="nothing: it is not read from until it is served",
    test="tests/costs/test_imap_streams.py::test_nothing_piles_up_that_was_not_asked_for",
)
IMAP_FAULTS_IN_A_ROW = _count(
    "commands in a row that are none",
    100,
    met_by="a user's program",
    told="`BYE`",
    test="tests/costs/test_imap_streams.py::test_a_user_who_sends_nothing_but_faults",
)

# -- IMAP, before login ----------------------------------------------------------------------------

IMAP_STRANGER_LINE_BYTES = _bytes(
    "a command's text, before login (RFC 2971 §3.3: 30 pairs of 30 and 1,024 octets in ID)",
    32 * KIB,
    met_by="a stranger",
    told="`BAD`; the command is skipped",
    test="tests/costs/test_imap_streams.py::test_a_strangers_line_is_short",
)
IMAP_STRANGER_LITERAL_BYTES = _bytes(
    "a literal, before login",
    8 * KIB,
    met_by="a stranger",
    told="`NO [TOOBIG]`",
    test="tests/imapserver/test_connection.py::test_before_login_literals_are_small",
)
IMAP_STRANGER_LITERALS = _count(
    "literals in a command, before login",
    8,
    met_by="a stranger",
    told="`NO [TOOBIG]`",
    test="tests/costs/test_imap_streams.py::test_literals_without_end_before_login",
)
IMAP_STRANGER_SKIPPED_BYTES = _bytes(
    "what a refused command goes on to send, before login",
    64 * KIB,
    met_by="a stranger",
    told="`BYE`",
    test="tests/costs/test_imap_streams.py::test_literals_without_end_before_login",
)
IMAP_STRANGER_FAULTS = _count(
    "commands that are none, before login",
    20,
    met_by="a stranger",
    told="`BYE`",
    test="tests/imapserver/test_connection.py::test_strangers_are_not_listened_to_for_long",
)

# -- IMAP, what a command may ask for --------------------------------------------------------------

_LIMIT_CODE = "`NO [LIMIT]`"

IMAP_SEARCH_KEYS = _count(
    "keys of a search",
    4096,
    met_by="a user",
    told=_LIMIT_CODE,
    test="tests/costs/test_imap_search.py::test_what_is_too_much_is_refused",
)
IMAP_SEARCH_BODIES = _count(
    "of these, that look into bodies (`BODY`, `TEXT`)",
    64,
    met_by="a user",
    told=_LIMIT_CODE,
    test="tests/costs/test_imap_search.py::test_what_is_too_much_is_refused",
)
IMAP_NEEDLE_BYTES = _bytes(
    "a text that is looked for",
    4 * KIB,
    met_by="a user",
    told=_LIMIT_CODE,
    test="tests/costs/test_imap_search.py::test_what_is_too_much_is_refused",
)
IMAP_FETCH_ITEMS = _count(
    "items of a `FETCH`",
    512,
    met_by="a user",
    told=_LIMIT_CODE,
    test="tests/costs/test_imap_fetch.py::test_what_is_too_much_is_refused",
)
IMAP_FIELD_NAMES = _count(
    "names in a `HEADER.FIELDS`",
    100,
    met_by="a user",
    told=_LIMIT_CODE,
    test="tests/costs/test_imap_fetch.py::test_what_is_too_much_is_refused",
)
IMAP_FLAGS = _count(
    "flags in a command",
    100,
    met_by="a user",
    told=_LIMIT_CODE,
    test="tests/costs/test_imap_mailboxes.py::test_what_is_too_much_is_refused",
)
IMAP_PATTERNS = _count(
    "patterns of a `LIST`",
    100,
    met_by="a user",
    told=_LIMIT_CODE,
    test="tests/costs/test_imap_mailboxes.py::test_what_is_too_much_is_refused",
)
IMAP_NAME_BYTES = _bytes(
    "a pattern of a `LIST`; a mailbox's name that is decoded",
    4 * KIB,
    met_by="a user",
    told=_LIMIT_CODE,
    test="tests/costs/test_imap_mailboxes.py::test_what_is_too_much_is_refused",
)
IMAP_NOTIFY_NAMES = _count(
    "names in a `NOTIFY`",
    1000,
    met_by="a user",
    told=_LIMIT_CODE,
    test="tests/costs/test_imap_mailboxes.py::test_what_is_too_much_is_refused",
)
IMAP_PARTS = _count(
    "parts of a message put together by `CATENATE`",
    500,
    met_by="a user",
    told=_LIMIT_CODE,
    test="tests/costs/test_imap_fetch.py::test_what_is_too_much_is_refused",
)

# -- mailboxes -------------------------------------------------------------------------------------

MAILBOXES = _count(
    "mailboxes of an account, and its subscriptions",
    10_000,
    met_by="a user",
    told=_LIMIT_CODE,
    test="tests/costs/test_imap_mailboxes.py::test_an_account_has_so_many_mailboxes",
)
MAILBOX_LEVELS = _count(
    "levels of a new mailbox's name",
    32,
    met_by="a user",
    told="`NO [CANNOT]`",
    test="tests/costs/test_imap_mailboxes.py::test_names_have_so_many_levels",
)
KEYWORDS = _count(
    "keywords in use in a mailbox",
    200,
    met_by="a user",
    told=_LIMIT_CODE,
    test="tests/costs/test_imap_mailboxes.py::test_a_mailbox_has_so_many_keywords",
)

# -- compression -----------------------------------------------------------------------------------

DEFLATE_PIECE_BYTES = _bytes(
    "what is unpacked before others have their turn",
    64 * KIB,
    met_by="a user",
    told="nothing",
    test="tests/costs/test_imap_streams.py::test_unpacking_lets_others_run",
)
DEFLATE_RATIO = _count(
    "unpacked bytes for each packed one, beyond the first 4 MiB",
    100,
    met_by="a user's program",
    told="nothing: the connection is cut",
    test="tests/costs/test_imap_streams.py::test_a_stream_that_unpacks_without_end_is_cut",
)
DEFLATE_FREE_BYTES = 4 * MIB
"""Unpacked in any ratio: a single attachment of zeros is no attack."""


# -- SMTP ------------------------------------------------------------------------------------------

SMTP_LINE_BYTES = _bytes(
    "a command line (RFC 4954 §4 asks for 12,288 octets in AUTH)",
    16 * KIB,
    met_by="anybody",
    told="`500 5.5.2`",
    test="tests/costs/test_smtp_streams.py::test_lines_too_long_are_not_kept",
)
SMTP_UNKNOWN_COMMANDS = _count(
    "commands that SMTP does not know, after login",
    10,
    met_by="a user's program",
    told="`421 4.7.0`",
    test="tests/smtpserver/test_session.py::test_nonsense_ends_the_connection",
)
SMTP_STRANGER_COMMANDS = _count(
    "commands before login or the first `MAIL`",
    100,
    met_by="a stranger",
    told="`421 4.7.0`",
    test="tests/costs/test_smtp_streams.py::test_a_stranger_has_so_many_commands",
)
REPLY_CHARS = _count(
    "characters of a reply's text",
    1000,
    met_by="anybody",
    told="the beginning and the end of it",
    test="tests/costs/test_smtp_streams.py::test_replies_are_bounded",
)
LOG_VALUE_CHARS = _count(
    "characters of a value in a log line",
    1000,
    met_by="anybody",
    told="nothing",
    test="tests/cli/test_log.py::test_a_value_is_bounded_and_on_one_line",
)
LOG_LINES_OF_A_KIND = _count(
    "log lines of one kind about clients, in 10 s; the next one says how many were left out",
    100,
    met_by="anybody",
    told="nothing",
    test="tests/cli/test_log.py::test_lines_about_clients_are_counted_when_there_are_too_many",
)
SMTP_BANNER_WAIT_S = _seconds(
    "the wait for talk before the banner, in a trusted network",
    0.01,
    met_by="a program that speaks something else",
    told="`421 4.7.0`",
    test="tests/costs/test_smtp_streams.py::test_talk_before_the_banner_in_a_trusted_network",
)
DSN_RETURNED_BYTES = _bytes(
    "a message that a notification of its failure returns whole, where RET=FULL asks for that",
    256 * KIB,
    met_by="a user's program",
    told="nothing: the notification has the header alone",
    test="tests/receipts/test_dsn.py::test_what_is_long_is_returned_as_its_header",
)
REFERENCE_CHARS = _count(
    "characters of `X-PEC-Reference`, the sender's own name for a message",
    200,
    met_by="an application",
    told="`554 5.6.0`",
    test="tests/mime/strict/test_reference.py::test_what_is_too_long_is_refused_and_not_cut",
)
ARCHIVE_SEARCH_CHARS = _count(
    "characters of each thing that the archive is searched for",
    1_000,
    met_by="a user",
    told="a sentence",
    test="tests/operations/test_archive.py::test_what_is_too_long_to_be_looked_for_is_said",
)
SUBMISSION_SPOOLED_FROM_BYTES = _bytes(
    "a message that arrives in memory; what is larger is on the disk until its turn comes",
    4 * MIB,
    met_by="an application",
    told="nothing",
    test="tests/costs/test_submissions.py::test_large_messages_wait_on_the_disk",
)
SUBMISSIONS_BYTES = _bytes(
    "messages under way in memory, all together",
    32 * MIB,
    met_by="an application",
    told="nothing: the rest is on the disk until its turn comes",
    test="tests/costs/test_submissions.py::test_messages_beyond_the_memory_go_to_the_disk",
)
SUBMISSIONS_SPOOLED_BYTES = _bytes(
    "messages under way on the disk, all together (and two of the largest at least)",
    4096 * MIB,
    met_by="an application",
    told="`452 4.3.1`: it tries again",
    test="tests/costs/test_submissions.py::test_messages_beyond_the_disks_budget_are_put_off",
)


# -- connections, on both protocols ----------------------------------------------------------------

IMAP_CONNECTIONS = _count(
    "IMAP connections (fewer where few descriptors are allowed)",
    1_100,
    met_by="anybody",
    told="`BYE`",
    test="tests/imapserver/test_connection.py::test_too_many_connections_are_turned_away",
)
SMTP_CONNECTIONS = _count(
    "SMTP connections (fewer where few descriptors are allowed)",
    250,
    met_by="anybody",
    told="`421 4.7.0`",
    test="tests/smtpserver/test_server.py::test_too_many_connections",
)
STRANGERS_PER_ADDRESS = _count(
    "connections of one address that have not logged in, on each protocol",
    200,
    met_by="a stranger",
    told="the one that guessed most, or has stayed longest, is closed",
    test="tests/net/test_visitors.py::test_an_address_has_so_many_strangers",
)
STRANGER_GRACE_S = _seconds(
    "the time a stranger is left alone in any case",
    1.0,
    met_by="a stranger",
    told="nothing",
    test="tests/net/test_visitors.py::test_the_young_are_left_alone",
)
TLS_HANDSHAKE_S = _seconds(
    "a TLS handshake, begun at once or by STARTTLS",
    10.0,
    met_by="a stranger",
    told="nothing: the connection is cut",
    test="tests/costs/test_strangers.py::test_a_handshake_that_does_not_end_is_cut",
)
LOGIN_S = _seconds(
    "the time until a client has logged in",
    120.0,
    met_by="a stranger",
    told="`BYE`; `421 4.4.2`",
    test="tests/costs/test_strangers.py::test_who_does_not_log_in_is_hung_up_on",
)
# -- the page --------------------------------------------------------------------------------------

WEB_CONNECTIONS = _count(
    "connections of browsers and programs to the page",
    128,
    met_by="a stranger",
    told="nothing: the connection ends; who has logged in stays",
    test="tests/web/test_listener.py::test_strangers_make_room_and_users_stay",
)
WEB_CONNECTIONS_PER_ACCOUNT = _count(
    "such connections of an account's users and keys that need not make room",
    32,
    met_by="an application, users of the page",
    told="nothing: the others are answered, and are a stranger's",
    test="tests/web/test_listener.py::test_one_account_leaves_room_for_others",
)
WEB_HEAD_BYTES = _bytes(
    "a request's line and headers",
    16 * KIB,
    met_by="anybody",
    told="`400`",
    test="tests/web/test_listener.py::test_a_head_too_long_is_refused",
)
WEB_BODY_BYTES = _bytes(
    "a request's body",
    64 * KIB,
    met_by="anybody",
    told="`413`",
    test="tests/web/test_guard.py::test_a_body_too_long_is_refused",
)
WEB_STRANGER_REQUEST_S = _seconds(
    "a request of who has not logged in, and the wait for its first",
    30.0,
    met_by="a stranger",
    told="nothing: the connection ends",
    test="tests/web/test_listener.py::test_who_dawdles_is_hung_up_on",
)
WEB_REQUEST_S = _seconds(
    "a request of who has logged in (an export may take long)",
    900.0,
    met_by="a user",
    told="nothing: the connection ends",
    test="tests/web/test_listener.py::test_who_dawdles_is_hung_up_on",
)
WEB_IDLE_S = _seconds(
    "the wait for the next request on a connection",
    30.0,
    met_by="anybody",
    told="nothing: the connection ends",
    test="tests/web/test_listener.py::test_who_dawdles_is_hung_up_on",
)
WEB_SESSIONS = _count(
    "browsers that are logged in to the page",
    1000,
    met_by="a user",
    told="nothing: the one that logged in first has to do so again",
    test="tests/store/test_web.py::test_the_oldest_sessions_make_room",
)
# -- programs over HTTP ----------------------------------------------------------------------------

API_KEYS = _count(
    "keys of programs",
    100,
    met_by="who runs `apikey create`",
    told="a sentence; none is made",
    test="tests/operations/test_keys.py::test_there_are_so_many_keys_and_no_more",
)
API_PAGE_SENDS = _count(
    "messages on a page of a list for programs",
    200,
    met_by="an application",
    told="`400`; over the command line more pages",
    test="tests/operations/test_sends.py::test_a_page_has_so_many_at_the_most",
)
API_PAGE_EVENTS = _count(
    "events on a page, over HTTP",
    1_000,
    met_by="an application",
    told="`400`",
    test="tests/web/contract/test_requests.py::test_what_is_out_of_bounds_is_refused",
)
API_WAIT_S = _seconds(
    "how long an answer over HTTP may be waited for",
    60.0,
    met_by="an application",
    told="`400`",
    test="tests/web/contract/test_requests.py::test_what_is_out_of_bounds_is_refused",
)
API_WAITS_PER_KEY = _count(
    "requests that wait at once with one key",
    8,
    met_by="an application",
    told="`429`",
    test="tests/web/contract/test_waiting.py::test_so_many_wait_with_a_key_and_no_more",
)
API_WAITS = _count(
    "requests that wait at once, with all keys",
    48,
    met_by="an application",
    told="`429`",
    test="tests/web/contract/test_waiting.py::test_so_many_wait_in_all_and_no_more",
)
API_CANDIDATES = _count(
    "messages of one name that are listed where one is asked for",
    20,
    met_by="an application",
    told="the first ones",
    test="tests/web/contract/test_sends.py::test_of_many_with_one_name_some_are_listed",
)
API_KEY_USE_NOTED_S = 60.0
"""The least time between two notes that a key was used."""

API_KEY_NAME_CHARS = _count(
    "characters of such a key's name",
    60,
    met_by="who runs `apikey create`",
    told="a sentence; none is made",
    test="tests/operations/test_keys.py::test_a_name_that_is_none_is_refused",
)
DESCRIPTORS_RESERVED = _count(
    "descriptors kept for the store, the API and the control socket",
    128,
    met_by="anybody",
    told="nothing: the servers have room for fewer",
    test="tests/app/test_room.py::test_few_descriptors_leave_room_for_the_rest",
)

CONTROL_STRANGERS = _count(
    "connections to the control port (where there is no socket) that have not said its password",
    32,
    met_by="another program on this machine",
    told="nothing: the oldest is closed",
    test="tests/operations/test_control.py::test_who_says_no_password_makes_room",
)
CONTROL_PASSWORD_S = _seconds(
    "the time until it is said",
    5.0,
    met_by="another program on this machine",
    told="nothing: the connection is closed",
    test="tests/operations/test_control.py::test_who_says_no_password_is_hung_up_on",
)

# -- traces ----------------------------------------------------------------------------------------

TRACES_AT_ONCE = _count(
    "traces that are on at once",
    4,
    met_by="who asks for another",
    told="a sentence",
    test="tests/trace/test_tracing.py::test_so_many_are_on_at_once",
)
TRACE_FILES = _count(
    "files of traces that are kept",
    20,
    met_by="who asks for another",
    told="nothing: the oldest goes",
    test="tests/trace/test_tracing.py::test_old_files_go_and_the_oldest_of_many",
)
TRACE_PENDING_BYTES = _bytes(
    "lines of one trace that wait for the disk",
    1024 * 1024,
    met_by="anybody, while he is traced",
    told="nothing: the file says how many lines were left out",
    test="tests/trace/test_tracing.py::test_a_slow_disk_costs_lines_and_nothing_else",
)

# -- passwords, on both protocols ------------------------------------------------------------------

GUESSES_FREE = _count(
    "wrong passwords of an address, and for an account, before logins wait",
    10,
    met_by="who guesses",
    told="nothing: the answer comes later",
    test="tests/login/test_guessing.py::test_the_wait_begins_doubles_and_ends",
)
GUESSES_AT_ONCE = _count(
    "logins of one address as one account that wait and are looked at at once",
    20,
    met_by="who guesses on many connections",
    told="nothing: the others come after them",
    test="tests/login/test_guessing.py::test_many_connections_are_no_way_round_the_wait",
)
GUESS_PAUSE_S = _seconds(
    "the longest wait before a password is looked at",
    4.0,
    met_by="who guesses, and who logs in from the same address",
    told="nothing: the answer comes later",
    test="tests/login/test_guessing.py::test_the_wait_begins_doubles_and_ends",
)
GUESS_FORGOTTEN_S = _seconds(
    "the time after the last wrong password until all are forgotten",
    900.0,
    met_by="who guesses",
    told="nothing",
    test="tests/login/test_guessing.py::test_failures_are_forgotten",
)
GUESSES_REMEMBERED = _count(
    "addresses, and accounts, whose failures are remembered",
    10_000,
    met_by="who guesses from many addresses",
    told="nothing: the oldest are forgotten",
    test="tests/login/test_guessing.py::test_what_is_remembered_is_bounded",
)

# -- the text of mail, whoever sent it -------------------------------------------------------------

MARKS_IN_A_ROW = _count(
    "combining marks in a row that are compared",
    30,
    met_by="a sender",
    told="nothing: the message keeps all of them",
    test="tests/charset/test_normalise.py::test_runs_of_marks_are_cut",
)
ADDRESS_FIELDS_BYTES = _bytes(
    "what is read of all address fields of a header, for `ENVELOPE`",
    1 * MIB,
    met_by="a sender",
    told="nothing: the message keeps all of them",
    test="tests/costs/test_mime_address.py::test_a_header_is_read_up_to_its_limits",
)
ADDRESSES_SHOWN = _count(
    "addresses in the `ENVELOPE` of a message",
    20_000,
    met_by="a sender",
    told="nothing: the message keeps all of them",
    test="tests/costs/test_mime_address.py::test_a_header_is_read_up_to_its_limits",
)
TEXT_SLICE_CHARS = 64 * KIB
"""Looked through in one step, before others have their turn."""


# -- messages to be sent ---------------------------------------------------------------------------

APART_CPU_S = _seconds(
    "the processor's time for a message of more than 4 MiB: its check, conversion, composition",
    60.0,
    met_by="an application, any sender",
    told="`554 5.6.0`, or a bounce; shown as unreadable, with the reason",
    test="tests/apart/test_process.py::test_time_on_the_processor_is_bounded",
)
APART_WALL_S = _seconds(
    "that work by the clock, on however busy a machine",
    300.0,
    met_by="an application, any sender",
    told="nothing: it is tried once more; then as above",
    test="tests/apart/test_process.py::test_what_is_killed_twice_is_too_costly",
)
APART_BYTES = _bytes(
    "the memory of that work, which is done one message at a time",
    640 * MIB,
    met_by="an application, any sender",
    told="`554 5.6.0`, or a bounce; shown as unreadable, with the reason",
    test="tests/apart/test_process.py::test_memory_is_bounded",
)
APART_SMALL_BYTES = _bytes(
    "a message that is worked on so beside a larger one",
    8 * MIB,
    met_by="an application, any sender",
    told="nothing: its turn comes",
    test="tests/apart/test_turns.py::test_small_ones_do_not_wait_for_large_ones",
)
APART_SMALL_MEMORY_BYTES = _bytes(
    "the memory of the work on it",
    320 * MIB,
    met_by="an application, any sender",
    told="`554 5.6.0`, or a bounce; shown as unreadable, with the reason",
    test="tests/apart/test_process.py::test_memory_is_bounded",
)
KILLED_REMEMBERED = _count(
    "messages whose process was killed from outside, to be tried once more",
    1000,
    met_by="an administrator, the system where memory runs out",
    told="nothing: the oldest is tried anew",
    test="tests/apart/test_killed.py::test_so_many_are_remembered",
)
TEXT_APART_FROM_BYTES = _bytes(
    "the text of a message that is checked and converted in the daemon: all but files in base64",
    256 * KIB,
    met_by="an application",
    told="nothing: with more of it the work is done as above",
    test="tests/costs/test_submissions.py::test_much_text_is_worked_on_elsewhere",
)
CHECKED_BYTES = _bytes(
    "smaller messages that are checked at once, all together",
    12 * MIB,
    met_by="an application",
    told="nothing: its turn comes",
    test="tests/costs/test_submissions.py::test_so_much_is_checked_at_once",
)
REQUESTS_BYTES = _bytes(
    "messages of less than 4 MiB on their way to the API, all together (and one more)",
    32 * MIB,
    met_by="an application",
    told="nothing: the next one of more than 64 KiB waits",
    test="tests/outbox/test_dispatcher.py::test_so_much_is_on_its_way_at_once",
)
HTML_BYTES = _bytes(
    "a plain text written as HTML",
    64 * MIB,
    met_by="an application",
    told="`554 5.6.0`",
    test="tests/costs/test_mime_html.py::test_a_text_that_becomes_too_long_is_refused",
)
QUOTES_SHOWN = _count(
    "quotes in a `format=flowed` text that are shown as such",
    20_000,
    met_by="an application",
    told="nothing: with more of them the text is shown as it stands",
    test="tests/costs/test_mime_html.py::test_quotes_without_end_are_text",
)

# -- the API ---------------------------------------------------------------------------------------

API_ANSWER_BYTES = _bytes(
    "an answer of the API",
    8 * MIB,
    met_by="the API",
    told="nothing: the answer counts as unreadable",
    test="tests/api/test_encoding.py::test_an_answer_that_unpacks_without_end_is_given_up",
)
API_LISTING_BYTES = _bytes(
    "a listing of the API, which may have no pages",
    32 * MIB,
    met_by="the API",
    told="nothing: the answer counts as unreadable",
    test="tests/costs/test_api_sizes.py::test_each_purpose_has_its_limit",
)
API_MESSAGE_BYTES = _bytes(
    "a message of the API: 30 MB sent come back in a receipt as 60",
    64 * MIB,
    met_by="who sends more",
    told="the message is shown as unreadable, with the reason",
    test="tests/costs/test_api_sizes.py::test_a_message_too_long_is_shown_as_unreadable_at_once",
)
ANSWER_SPOOLED_FROM_BYTES = 1 * MIB
"""A message of the API that arrives in memory; of a larger one all is on the disk."""

ANSWER_READ_APART_FROM_BYTES = _bytes(
    "a message of the API that is read and composed in memory",
    4 * MIB,
    met_by="any sender",
    told="nothing: a larger one is worked on on the disk, alone",
    test="tests/costs/test_api_sizes.py::test_a_large_message_is_never_in_memory",
)
ANSWERS_READ_BYTES = _bytes(
    "messages of the API of more than 1 MiB that are read at once, all together",
    8 * MIB,
    met_by="any sender",
    told="nothing: its turn comes",
    test="tests/costs/test_api_sizes.py::test_so_much_is_read_at_once",
)
SUBJECT_COMPARED_CHARS = _count(
    "characters of a listed subject that may have lost letters",
    4096,
    met_by="any sender",
    told="nothing: a longer one has to be listed as it was sent",
    test="tests/costs/test_receipts_text.py::test_long_subjects_are_compared_in_linear_time",
)
API_FIELD_CHARS = _count(
    "characters of a field of a listed row",
    64 * KIB,
    met_by="any sender",
    told="the beginning of it is shown",
    test="tests/costs/test_api_sizes.py::test_the_fields_of_a_row_are_cut",
)
API_ROW_CHARS = _count(
    "characters kept of a listed row's JSON",
    256 * KIB,
    met_by="any sender",
    told="nothing: the beginning is kept, and a digest of all",
    test="tests/costs/test_api_sizes.py::test_the_fields_of_a_row_are_cut",
)
API_PIECE_BYTES = _bytes(
    "what is unpacked of an answer before it is looked at",
    64 * KIB,
    met_by="the API",
    told="nothing",
    test="tests/api/test_encoding.py::test_an_answer_that_unpacks_without_end_is_given_up",
)
DOMAIN_LOOKUPS_PER_DAY = _count(
    "domains of recipients looked up in a day",
    500,
    met_by="a user with `check_domains`",
    told="nothing: what is not known is not told; the log says so once",
    test="tests/app/test_domain_check.py::test_a_day_has_so_many_lookups_and_no_more",
)
WEBHOOK_ANSWER_BYTES = _bytes(
    "what is read of a webhook receiver's answer",
    64 * KIB,
    met_by="a receiver",
    told="nothing: the connection is closed; its status counts",
    test="tests/hooks/test_post.py::test_an_answer_without_end_is_cut_off",
)
SMARTHOST_ANSWER_BYTES = _bytes(
    "what is read of a smarthost in clear, and once more over TLS",
    64 * KIB,
    met_by="a smarthost",
    told="nothing: the connection is closed; `status` says why",
    test="tests/hooks/test_mail.py::test_a_server_that_says_without_end_is_read_no_further",
)
PDF_BYTES = _bytes(
    "a PDF that activates a mailbox",
    10 * MIB,
    met_by="who runs `mailbox activate`",
    told="a sentence; nothing is sent",
    test="tests/operations/test_pdf.py::test_what_cannot_be_used_says_why",
)
PDF_PAGES = _count(
    "pages of such a PDF",
    100,
    met_by="who runs `mailbox activate`",
    told="a sentence; nothing is sent",
    test="tests/operations/test_pdf.py::test_what_cannot_be_used_says_why",
)


def shortened(text: str, most: int) -> str:
    """Return a text's beginning and end if it is longer than ``most`` characters."""
    if len(text) <= most:
        return text
    half = (most - 5) // 2
    return f"{text[:half]} ... {text[-half:]}"


def table() -> str:
    """Return the rows as a table in Markdown."""
    head = "| what | at most | setting | who meets it | what he is told | test |"
    lines = [head, "|---|---|---|---|---|---|"]
    for row in _TABLE:
        setting = f"`{row.setting}`" if row.setting else "-"
        lines.append(
            f"| {row.what} | {_shown(row)} | {setting} | {row.met_by} | {row.told} | `{row.test}` |"
        )
    return "\n".join(lines) + "\n"


def _shown(row: Limit) -> str:
    if row.unit == "bytes":
        for unit, name in ((MIB, "MiB"), (KIB, "KiB")):
            if row.value >= unit and row.value % unit == 0:
                return f"{row.value / unit:,.0f} {name}"
    return f"{row.value:,g} {row.unit}".rstrip()


LIMITS = tuple(_TABLE)
