"""A statement asked on the event loop, by libpq's calls that do not block.

The loop hears when the server has something to say: there is no thread to change to, and nothing to
begin or to end.

Failure: ``psycopg.Error``; a connection that was lost, or left in the middle, is closed.
"""

from __future__ import annotations

import asyncio

import psycopg
from psycopg import pq

from bridge.store.postgres.connection import Connection
from bridge.store.postgres.single import Question
from bridge.store.postgres.statements import Rows, Statements, checked


class NoAnswer(psycopg.OperationalError):
    """The server has been waited for long enough."""


class Questioner:
    """Asks on connections that nobody else uses meanwhile.

    Args:
        loop: which hears.
        most_s: how long an answer may take.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, most_s: float) -> None:
        self._loop = loop
        self._most_s = most_s

    async def ask(self, connection: Connection, question: Question) -> Rows:
        """Return the answer.

        Raises:
            psycopg.Error: there is none, and the connection is closed.
        """
        statements = connection.statements
        try:
            return statements.rows(await self._asked(connection.pgconn, statements, question))
        except BaseException:  # CancelledError too: what is under way belongs to nobody any more
            connection.close()
            raise

    async def _asked(
        self, pgconn: pq.abc.PGconn, statements: Statements, question: Question
    ) -> pq.abc.PGresult:
        bound = statements.bound(question.statement, question.values)
        if not bound.name:
            pgconn.send_query_params(
                bound.words, bound.values, bound.types, bound.formats, pq.Format.BINARY
            )
            return await self._answer(pgconn)
        if not bound.is_known:
            pgconn.send_prepare(bound.name, bound.words, bound.types)
            await self._answer(pgconn)
            statements.is_prepared(bound)
        pgconn.send_query_prepared(bound.name, bound.values, bound.formats, pq.Format.BINARY)
        return await self._answer(pgconn)

    async def _answer(self, pgconn: pq.abc.PGconn) -> pq.abc.PGresult:
        exchange = _Exchange(self._loop, pgconn)
        limit = self._loop.call_later(self._most_s, exchange.fail)
        try:
            (result,) = await exchange.results
        finally:
            limit.cancel()
            exchange.stop()
        return checked(result)


class _Exchange:
    """What was sent, on its way; ``results`` are the server's."""

    def __init__(self, loop: asyncio.AbstractEventLoop, pgconn: pq.abc.PGconn) -> None:
        self.results: asyncio.Future[list[pq.abc.PGresult]] = loop.create_future()
        self._loop = loop
        self._pgconn = pgconn
        self._socket = pgconn.socket
        self._found: list[pq.abc.PGresult] = []
        self._writes = pgconn.flush() > 0
        loop.add_reader(self._socket, self._heard)
        if self._writes:
            loop.add_writer(self._socket, self._can_write)

    def stop(self) -> None:
        """Listen no more."""
        self._loop.remove_reader(self._socket)
        if self._writes:
            self._loop.remove_writer(self._socket)

    def fail(self) -> None:
        """Wait no longer."""
        self._end(NoAnswer("the server does not answer"))

    def _can_write(self) -> None:
        try:
            if self._pgconn.flush() == 0:
                self._loop.remove_writer(self._socket)
                self._writes = False
        except psycopg.Error as error:
            self._end(error)

    def _heard(self) -> None:
        try:
            self._pgconn.consume_input()
            while not self._pgconn.is_busy():
                result = self._pgconn.get_result()
                if result is None:
                    self._end(None)
                    return
                self._found.append(result)
        except psycopg.Error as error:
            self._end(error)

    def _end(self, error: psycopg.Error | None) -> None:
        if self.results.done():
            return
        if error is None:
            self.results.set_result(self._found)
        else:
            self.results.set_exception(error)
