"""One submission session: EHLO, AUTH, MAIL, RCPT, DATA.

``connection`` has the lines and the rest of the protocol. What a message must meet is
``mime.strict.submission``'s to say; ``250`` is said by ``delivery``, after the commit.

RFCs: 5321, 6409 (submission), 4954 (AUTH), 1870 (SIZE), 3461 (DSN), 6152 (8BITMIME), 6531
(SMTPUTF8).

Failure: a refusal has a code, an enhanced status code and a sentence; the session goes on.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Collection

import structlog
from structlog.contextvars import bound_contextvars

from bridge.language import say
from bridge.limits import SUBMISSION_SPOOLED_FROM_BYTES
from bridge.login import LoginGate
from bridge.login.sasl import SaslFault, SaslFaultKind, exchange
from bridge.mime.grammar.addr_spec import comparable
from bridge.mime.strict.rules import SubmissionFault, check_size
from bridge.mime.strict.submission import Envelope
from bridge.model import AccountId
from bridge.net.turnstile import Turnstile
from bridge.net.visitors import Visitors
from bridge.smtpserver.budget import Budgets
from bridge.smtpserver.connection import SmtpConnection
from bridge.smtpserver.data import DataReader
from bridge.smtpserver.delivery import DISK_FULL, Delivery, Incoming, SmtpReply
from bridge.smtpserver.dialogue import ClientGone
from bridge.smtpserver.dsn import envid_of, is_full
from bridge.smtpserver.mail import MailTransaction, mail_parameters, path_code, recipient_of
from bridge.smtpserver.path import PathFault, parse_path
from bridge.smtpserver.received import LineTooLong
from bridge.smtpserver.reply import reply
from bridge.smtpserver.settings import SmtpSettings
from bridge.spool import Spool, Spooled
from bridge.store.dsn import DsnRequest
from bridge.trace.tracing import Tracing
from bridge.trace.words import masked

log = structlog.get_logger()

SASL_REPLIES = {
    SaslFaultKind.MECHANISM: "504 5.5.4",
    SaslFaultKind.BASE64: "501 5.5.2",
    SaslFaultKind.FORM: "501 5.5.2",
    SaslFaultKind.CANCELLED: "501 5.7.0",
    SaslFaultKind.IDENTITY: "535 5.7.8",
}
"""RFC 4954 §4, §6."""


class SubmissionSession(SmtpConnection):
    """The commands of one connection.

    Args:
        settings: see ``SmtpSettings``.
        logins: checks them.
        delivery: takes whole messages.
        tls: offers STARTTLS with this; None offers none.
        loop: the running loop.
        visitors: see ``SmtpConnection``.
        implicit_tls: see ``SmtpConnection``.
        budgets: of all messages under way; None is without end.
        tracing: see ``SmtpConnection``.
    """

    def __init__(
        self,
        settings: SmtpSettings,
        logins: LoginGate,
        delivery: Delivery,
        tls: ssl.SSLContext | None,
        loop: asyncio.AbstractEventLoop,
        visitors: Visitors[SmtpConnection],
        *,
        implicit_tls: bool,
        budgets: Budgets | None = None,
        tracing: Tracing | None = None,
    ) -> None:
        super().__init__(settings, tls, loop, visitors, implicit_tls=implicit_tls, tracing=tracing)
        self._memory = budgets.memory if budgets else None
        self._disk = budgets.disk if budgets else None
        self._turnstile = budgets.turnstile if budgets else Turnstile()
        self._logins = logins
        self._delivery = delivery
        self._account: AccountId | None = None
        self._mail: MailTransaction | None = None
        self._login_failures = 0
        self._trusted: frozenset[AccountId] | None = None

    def reset(self) -> None:
        """Forget the message that was begun."""
        self._mail = None

    def forget(self) -> None:
        """Forget the login too."""
        super().forget()
        self._account = None

    def take_over(self, settings: SmtpSettings, ended: Collection[AccountId]) -> bool:
        """Go by these settings from here on; False if whoever logged in may not go on."""
        self.settings, self._trusted = settings, None
        may_send = self._mail is None or self._mail.allowed <= self._allowed()
        return self._account not in ended and may_send

    @property
    def is_stranger(self) -> bool:
        """Whether nobody has logged in, and no message was begun."""
        return self._account is None and self._mail is None

    @property
    def is_trusted_unheard(self) -> bool:
        """Whether whatever comes may be sent, because of where it comes from alone."""
        return self._account is None and bool(self._allowed())

    @property
    def guesses(self) -> int:
        """How many wrong passwords the client has tried."""
        return self._login_failures

    # -- greetings and login -------------------------------------------------------------------

    async def smtp_EHLO(self, hostname: str | None) -> None:
        """RFC 5321 §4.1.1.1."""
        if not hostname:
            await self.push("501 5.5.4 Syntax: EHLO hostname")
            return
        self._greeted(hostname, extended=True)
        offers = [f"SIZE {self.settings.rules.max_message_bytes}", "8BITMIME", "SMTPUTF8"]
        offers += ["PIPELINING", "ENHANCEDSTATUSCODES", "DSN"]
        if self.starttls is not None and not self.is_encrypted:
            offers.append("STARTTLS")
        if self.is_private:
            offers.append("AUTH PLAIN LOGIN")
        lines = [self.hostname, *offers]
        shown = [f"250-{line}" for line in lines] + ["250 HELP"]
        await self.push("\r\n".join(shown).encode())

    async def smtp_HELO(self, hostname: str | None) -> None:
        """RFC 5321 §4.1.1.1."""
        if not hostname:
            await self.push("501 5.5.4 Syntax: HELO hostname")
            return
        self._greeted(hostname, extended=False)
        await self.push(f"250 {self.hostname}".encode())

    def _greeted(self, hostname: str, *, extended: bool) -> None:
        self.reset()
        if self.session is not None:
            self.session.extended_smtp = extended
            self.session.host_name = hostname

    async def smtp_AUTH(self, arg: str | None) -> None:
        """RFC 4954: PLAIN and LOGIN, with and without an initial response."""
        if self.session is None or not self.session.extended_smtp:
            await self.push("503 5.5.1 Send EHLO first")
        elif self._account is not None or self._mail is not None:
            await self.push("503 5.5.1 Not now: already logged in, or a message is under way")
        elif not self.is_private:
            await self.refuse(538, "5.7.11", say("Logging in needs TLS here: use STARTTLS first."))
        else:
            await self._log_in(arg or "")

    async def _log_in(self, argument: str) -> None:
        words = argument.split()
        if not 1 <= len(words) <= 2:
            await self.push("501 5.5.4 Syntax: AUTH mechanism [initial-response]")
            return
        initial = words[1].encode() if len(words) == 2 else None
        try:
            said = await exchange(words[0], initial, self._ask)
        except SaslFault as fault:
            await self.push(f"{SASL_REPLIES[fault.kind]} {fault}")
            return
        except LineTooLong:
            await self.push("500 5.5.6 The response is too long")
            return
        if self.tap.is_on:
            self.tap.belongs_to(said.name)
        self._account = await self._logins.enter("smtp", self.peer, said.name, said.password)
        if self._account is not None:
            await self.push("235 2.7.0 Authentication successful")
            return
        self._login_failures += 1
        await self.refuse(535, "5.7.8", say("The user name or the password is wrong"))
        if self._login_failures >= self.settings.max_login_failures:
            await self.refuse(421, "4.7.0", say("Too many failed logins"))
            raise ClientGone

    async def _ask(self, challenge: str) -> bytes:
        await self.push(f"334 {challenge}".encode())
        line = await self.read_line()
        if self.tap.is_on:
            self.tap.client(masked(line))
        return line

    # -- the mail transaction ------------------------------------------------------------------

    async def smtp_MAIL(self, arg: str | None) -> None:
        """RFC 5321 §4.1.1.2; the sender must be the account's own mailbox."""
        if self.session is None or not self.session.host_name:
            await self.push("503 5.5.1 Send EHLO first")
            return
        if self._mail is not None:
            await self.push("503 5.5.1 A message is under way already: send RSET first")
            return
        try:
            self._mail = self._begin(arg)
            if self.tap.is_on and self._mail.account is not None:
                self.tap.belongs_to(self.settings.accounts[self._mail.account])
        except PathFault as fault:
            await self.refuse(path_code(fault), fault.status, fault.sentence)
        except SubmissionFault as fault:
            await self.refuse(fault.code, fault.status, fault.sentence)
        else:
            await self.push(b"250 2.1.0 Ok")

    def _begin(self, argument: str | None) -> MailTransaction:
        trusted = self._account is None
        allowed = self._allowed()
        if not allowed:
            raise SubmissionFault(
                530, "5.7.0", say("Log in first: this server sends only for its users.")
            )
        path = parse_path(argument, "FROM")
        size_bytes, utf8 = mail_parameters(path)
        check_size(size_bytes, 1, self.settings.rules)
        if not path.address:
            return MailTransaction(None, "", size_bytes, utf8, trusted, allowed)
        account = self._account_of(path.address, allowed)
        address = self.settings.accounts[account]
        return MailTransaction(
            account, address, size_bytes, utf8, trusted, allowed, envid_of(path), is_full(path)
        )

    def _allowed(self) -> frozenset[AccountId]:
        if self._account is not None:
            return frozenset({self._account})
        if self._trusted is None:
            self._trusted = self.settings.trusted_accounts(self.peer)
        return self._trusted

    def _account_of(self, sender: str, allowed: frozenset[AccountId]) -> AccountId:
        account = self.settings.account_of(sender, allowed)
        if account is not None:
            return account
        mine = ", ".join(sorted(self.settings.accounts[account] for account in allowed))
        raise SubmissionFault(
            550,
            "5.7.1",
            say(
                "The sender <{sender}> is not the mailbox that may send here: {mine}.",
                sender=sender,
                mine=mine,
            ),
        )

    async def smtp_RCPT(self, arg: str | None) -> None:
        """RFC 5321 §4.1.1.3."""
        mail = self._mail
        if mail is None:
            await self.push("503 5.5.1 Send MAIL first")
            return
        try:
            address, wish = recipient_of(arg)
            if not mail.reverse_path:
                self._check_bounce(mail, address)
            key = comparable(address)
            most = self.settings.rules.max_recipients
            if key not in mail.recipients and len(mail.recipients) >= most:
                raise SubmissionFault(
                    452, "4.5.3", say("At most {most} recipients fit the plan.", most=most)
                )
        except PathFault as fault:
            await self.refuse(path_code(fault), fault.status, fault.sentence, utf8=mail.utf8)
        except SubmissionFault as fault:
            await self.refuse(fault.code, fault.status, fault.sentence)
        else:
            mail.add(address, wish)
            await self.push(b"250 2.1.5 Ok")

    def _check_bounce(self, mail: MailTransaction, recipient: str) -> None:
        """Let a bounce through to the mailbox of whoever may send here, and to nobody else."""
        account = self.settings.account_of(recipient, mail.allowed)
        if account is None or mail.account not in (None, account):
            raise SubmissionFault(
                550,
                "5.7.1",
                say(
                    "A message from <> is taken for one mailbox that may send here, and "
                    "filed in its INBOX: nothing is sent to <{recipient}>.",
                    recipient=recipient,
                ),
            )
        mail.account = account

    async def smtp_DATA(self, arg: str | None) -> None:
        """RFC 5321 §4.1.1.4; the reply is ``delivery``'s, after the commit.

        A declared size that is too much for the recipients is refused before the data comes, and
        for all recipients alike: a part of them must not get what the others don't.
        """
        mail = self._mail
        if mail is None or not mail.recipients:
            await self.push(b"503 5.5.1 Send MAIL and RCPT first")
            return
        if arg:
            await self.push(b"501 5.5.4 Syntax: DATA")
            return
        rules = self.settings.rules
        self._mail = None
        try:
            check_size(mail.size_bytes, len(mail.recipients) if rules.bcc == "refuse" else 1, rules)
        except SubmissionFault as fault:
            await self.refuse(fault.code, fault.status, fault.sentence)
            return
        await self.push(b"354 End data with <CR><LF>.<CR><LF>")
        reader = DataReader(rules.max_message_bytes, self._memory, self._disk)
        spool = Spool(self.settings.spool_dir)
        try:
            await self._receive(reader, spool)
            self.busy = True
            answer = await self._answer(mail, reader, spool)
            await self._give(answer, mail)
        finally:
            self.busy = False
            reader.release()
            spool.close()

    async def _receive(self, reader: DataReader, spool: Spool) -> None:
        """Read to the end mark; what is large, or too much beside the others, goes to the disk."""
        while (rest := reader.feed(await self._next_block())) is None:
            if reader.must_spill:
                await spool.add(reader.spill(), last=False)
            if reader.is_given_up:
                spool.close()
        self.unread(rest)
        if reader.has_spilled or reader.must_spill:
            await spool.add(reader.spill(), last=True)

    async def _next_block(self) -> bytes:
        block = await self.read_block()
        await self._turnstile.passed()
        if self.tap.is_on:
            self.tap.client(masked(block, "of the message, not shown"))
        return block

    async def _answer(self, mail: MailTransaction, reader: DataReader, spool: Spool) -> SmtpReply:
        if reader.is_too_large:
            limit_bytes = self.settings.rules.max_message_bytes
            text = say(
                "The message is larger than the {limit_bytes} bytes PEC allows.",
                limit_bytes=limit_bytes,
            )
            return SmtpReply(552, "5.3.4", text)
        if reader.is_over_budget:
            return SmtpReply(452, "4.3.1", say("Too many messages are under way. Try again later."))
        if spool.failed:
            return DISK_FULL
        assert mail.account is not None  # noqa: S101 - a recipient was taken
        raw = spool.take()[0] if reader.has_spilled else reader.message()
        digest = reader.digest()
        is_large = len(raw) > SUBMISSION_SPOOLED_FROM_BYTES
        if is_large and isinstance(raw, Spooled) and mail.reverse_path:
            return await self._deliver(self._incoming(mail, raw, digest))
        async with self._delivery.turn(len(raw)):
            if isinstance(raw, Spooled):
                raw = await asyncio.to_thread(raw.whole)
            if not mail.reverse_path:
                return await self._delivery.file_bounce(mail.account, raw)
            return await self._deliver(self._incoming(mail, raw, digest))

    async def _deliver(self, incoming: Incoming) -> SmtpReply:
        with bound_contextvars(peer=self.peer):  # in the line that tells the queue's id
            return await self._delivery.deliver(incoming)

    def _incoming(self, mail: MailTransaction, raw: bytes | Spooled, digest: bytes) -> Incoming:
        assert mail.account is not None  # noqa: S101 - a recipient was taken
        urgent = mail.trusted and self.settings.is_urgent_from(self.peer, mail.account)
        people = tuple(mail.recipients.values())
        envelope = Envelope(mail.reverse_path, people, mail.trusted, urgent, mail.envid)
        dsn = DsnRequest(mail.envid, mail.full, mail.wishes)
        return Incoming(mail.account, envelope, raw, digest, dsn)

    async def _give(self, answer: SmtpReply, mail: MailTransaction) -> None:
        if answer.code >= 400:
            await self.refuse(answer.code, answer.status, answer.text, utf8=mail.utf8)
        else:
            await self.push(reply(answer.code, answer.status, answer.text))
