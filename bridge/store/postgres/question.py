"""A statement asked on the event loop, by libpq's calls that do not block.

The loop hears when the server has something to say: there is no thread to change to, and nothing to
begin or to end. What is asked a second time on a connection is prepared there.

Failure: ``psycopg.Error``; a connection that was lost, or left in the middle, is closed.
"""

from __future__ import annotations

import asyncio
from weakref import WeakKeyDictionary

import psycopg
from psycopg import pq
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import error_from_result

from bridge.store.postgres.connection import CACHED_STATEMENTS, Connection
from bridge.store.postgres.single import Question, Rows

_GOOD = (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK)


class NoAnswer(psycopg.OperationalError):
    """The server has been waited for long enough."""


class PreparedStatements:
    """The statements of one connection, and how its values are read and written."""

    def __init__(self, connection: Connection) -> None:
        self.transformer = Transformer(connection)
        self._names: dict[tuple[str, tuple[int, ...]], bytes] = {}

    def name(self, statement: str, types: tuple[int, ...]) -> tuple[bytes, bool]:
        """Return the name to prepare a statement by, b"" for none, and whether it is by now."""
        key = statement, types
        if key in self._names:
            name = self._names[key]
            if name:
                return name, True
            self._names[key] = name = f"asked_{len(self._names)}".encode()
            return name, False
        if len(self._names) < CACHED_STATEMENTS:
            self._names[key] = b""
        return b"", False


class Questioner:
    """Asks on connections that nobody else uses meanwhile.

    Args:
        loop: which hears.
        most_s: how long an answer may take.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, most_s: float) -> None:
        self._loop = loop
        self._most_s = most_s
        self._prepared: WeakKeyDictionary[Connection, PreparedStatements] = WeakKeyDictionary()

    async def ask(self, connection: Connection, question: Question) -> Rows:
        """Return the answer.

        Raises:
            psycopg.Error: there is none; the connection is closed unless it serves again.
        """
        prepared = self._prepared.get(connection)
        if prepared is None:
            prepared = self._prepared[connection] = PreparedStatements(connection)
        try:
            (result,) = await self._asked(connection, prepared, question)
        except BaseException:  # CancelledError too: what is under way belongs to nobody any more
            connection.close()
            raise
        if result.status not in _GOOD:
            connection.close()
            raise error_from_result(result)
        transformer = prepared.transformer
        transformer.set_pgresult(result)
        try:
            return transformer.load_rows(0, result.ntuples, tuple)
        finally:
            transformer.set_pgresult(None)

    async def _asked(
        self, connection: Connection, prepared: PreparedStatements, question: Question
    ) -> list[pq.abc.PGresult]:
        pgconn, transformer = connection.pgconn, prepared.transformer
        values = transformer.dump_sequence(question.values, [PyFormat.AUTO] * len(question.values))
        types, formats = transformer.types or (), transformer.formats
        statement = question.statement.encode()
        name, is_known = prepared.name(question.statement, types)
        if not name:
            pgconn.send_query_params(statement, values, types, formats, pq.Format.BINARY)
            return await self._answer(pgconn)
        if not is_known:
            pgconn.send_prepare(name, statement, types)
            (result,) = await self._answer(pgconn)
            if result.status not in _GOOD:
                return [result]
        pgconn.send_query_prepared(name, values, formats, pq.Format.BINARY)
        return await self._answer(pgconn)

    async def _answer(self, pgconn: pq.abc.PGconn) -> list[pq.abc.PGresult]:
        exchange = _Exchange(self._loop, pgconn)
        limit = self._loop.call_later(self._most_s, exchange.fail)
        try:
            return await exchange.results
        finally:
            limit.cancel()
            exchange.stop()


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
