"""A client of the isolation check: connects, asks, is killed, comes back."""

import asyncio
import random

from weirtest.wire import DatabaseError, Lost

# What a client may be told when its backend dies or none can be had for the moment.
EXCUSES = {"08006", "08007", "40001", "25P02", "57P01", "57P03", "53300",
           1040, 1053, 1105, 1213, 1927, 1317, 2013}


class Wrong(Exception):
    """An answer that was not the asker's, or no honest answer at all."""


class Killed(Exception):
    """This client was reset on purpose."""


def expect(got, wanted, what):
    if got != wanted:
        raise Wrong(f"{what}: wanted {str(wanted)[:200]!r}, got {str(got)[:200]!r}")


class Actor:
    """One client: connects, asks, is killed, comes back."""

    def __init__(self, options, number, tally):
        self.options = options
        self.number = number
        self.tally = tally
        self.count = 0
        self.connection = None
        self.deadly = True

    def token(self):
        self.count += 1
        return f"tok-{self.number}-{self.count}-{random.getrandbits(48):012x}"

    async def connect(self):
        raise NotImplementedError

    def operations(self):
        raise NotImplementedError

    async def perhaps_die(self):
        """After a statement was sent: be reset at once, or in the middle of the result."""
        if not self.deadly or random.random() > self.options.kill_share:
            return
        stream = self.connection.stream
        if random.random() < 0.5:
            await stream.drain()
            if random.random() < 0.7:
                try:
                    await asyncio.wait_for(stream.reader.read(random.choice((1, 7, 1000))), 1)
                except (asyncio.TimeoutError, OSError):
                    pass
        self.connection.abort()
        self.connection = None
        raise Killed

    def gone(self):
        if self.connection is not None:
            self.connection.abort()
            self.connection = None

    async def once(self):
        """One exchange. True if it was answered, and rightly."""
        name = "login"
        try:
            if self.connection is None:
                self.connection = await self.connect()
            operation = random.choice(self.operations())
            name = operation.__name__
            await operation()
            self.tally[name] += 1
            return True
        except Killed:
            self.tally["clients killed"] += 1
        except Lost:
            self.tally["lost"] += 1
            self.gone()
        except DatabaseError as error:
            self.gone()
            if error.code not in EXCUSES:
                raise Wrong(f"{name}: {error}") from error
            self.tally[f"told {error.code}"] += 1
        except asyncio.TimeoutError:
            self.gone()
            self.tally["login timed out"] += 1
        except AssertionError as error:
            self.gone()
            raise Wrong(f"{name}: {error}") from error
        except Wrong:
            self.gone()
            raise
        return False
