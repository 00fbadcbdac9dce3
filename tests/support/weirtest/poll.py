"""Waiting for a condition: always a poll with a deadline, never a bare sleep."""

import asyncio
import time

INTERVAL = 0.02


class Overdue(AssertionError):
    """The condition did not come true in time."""


def until(condition, what, seconds=10.0, interval=INTERVAL):
    """Returns condition()'s first true value; an AssertionError inside it counts as false."""
    deadline = time.monotonic() + seconds
    last = None
    while True:
        try:
            last = condition()
            if last:
                return last
        except AssertionError as error:
            last = error
        if time.monotonic() > deadline:
            raise Overdue(f"not within {seconds} s: {what} (last: {last!r})")
        time.sleep(interval)


async def until_async(condition, what, seconds=10.0, interval=INTERVAL):
    """The same for a coroutine function."""
    deadline = time.monotonic() + seconds
    while True:
        last = await condition()
        if last:
            return last
        if time.monotonic() > deadline:
            raise Overdue(f"not within {seconds} s: {what} (last: {last!r})")
        await asyncio.sleep(interval)


def holds(condition, what, seconds, interval=INTERVAL):
    """The condition stays true for the whole time: the way to show that nothing happens."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = condition()
        assert value, f"did not hold for {seconds} s: {what} ({value!r})"
        time.sleep(interval)
