"""The lead: what one server at a time holds, and loses however it ends.

Whoever holds it may do what only one should. That nobody else does so as well is not its promise, because a holder may
learn late that it was lost: what must not be done twice is fenced by the leader's term.
"""

import asyncio
from typing import Protocol


class Lead(Protocol):
    """One server's hold on the lead."""

    async def take(self) -> None:
        """Wait until nobody else has it, and take it; raises DatabaseError while that cannot be asked."""
        ...

    async def until_lost(self) -> None:
        """Wait until it is lost, which may be never."""
        ...

    async def give_back(self) -> None:
        """Let somebody else have it; idempotent."""
        ...


class SoleLead:
    """The lead where nobody else can be: who has opened the database is alone with it."""

    async def take(self) -> None:
        """Take it at once."""

    async def until_lost(self) -> None:
        """Wait for ever."""
        await asyncio.Event().wait()

    async def give_back(self) -> None:
        """Do nothing: nobody waits for it."""
