"""A pooled SQL check: three indexed queries a call on PostgreSQL, and no record of the answer.

Is the number opposed, did it object, and how often was it called within 30 days: what a team
writes that has a database at hand. On the bare protocol of `bare`, the cheapest server there is, by
asyncpg with a pool of ten and its prepared statements. It writes nothing, so that two calls at once
could both be the fourth.
"""

from __future__ import annotations

import asyncio
import os
import re
import socket

import asyncpg
from tests.bench.peers.bare import Bare
from tests.bench.peers.common import ALLOW, REFUSE, run

_ALLOW, _REFUSE = f"{ALLOW}\n".encode(), f"{REFUSE}\n".encode()
_NUMBER = re.compile(rb"number=0(\d+)\n")
_MOST_ATTEMPTS = 4
_OPPOSED = "SELECT 1 FROM opposed WHERE number = $1"
_OBJECTED = "SELECT 1 FROM objection WHERE number = $1 AND professional = $2"
_ATTEMPTS = (
    "SELECT count(*) FROM attempt"
    " WHERE number = $1 AND professional = $2 AND at > now() - interval '30 days'"
)


class _Asking(Bare):
    pool: asyncpg.Pool

    def asked(self) -> None:
        self.task = asyncio.get_running_loop().create_task(self._check())

    async def _check(self) -> None:
        found = _NUMBER.search(self.received)
        assert found is not None
        number = 33_000_000_000 + int(found[1])
        async with self.pool.acquire() as conn:
            refused = (
                await conn.fetchval(_OPPOSED, number)
                or await conn.fetchval(_OBJECTED, number, "bench")
                or await conn.fetchval(_ATTEMPTS, number, "bench") >= _MOST_ATTEMPTS
            )
        self.transport.write(_REFUSE if refused else _ALLOW)


async def _serve(sock: socket.socket) -> None:
    folder, user = os.environ["BENCH_POSTGRES"], os.environ["BENCH_POSTGRES_USER"]
    _Asking.pool = await asyncpg.create_pool(
        host=folder, user=user, database="postgres", min_size=10, max_size=10
    )
    await asyncio.get_running_loop().create_server(_Asking, sock=sock, backlog=4096)


if __name__ == "__main__":
    run("sql", _serve)
