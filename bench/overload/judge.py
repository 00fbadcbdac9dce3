"""What the events of a load say. Times are seconds since the load began; results in milliseconds
where the name says so. Every function of a span [first, last) looks at attempts by their start."""

import math
import struct
from collections import namedtuple

ANSWERED, REFUSED, GAVE_UP, FAILED, LOGIN = range(5)  # as in clients.cpp
RECORD = struct.Struct("<IIBBH")
Event = namedtuple("Event", "began took flow outcome")
BIN = 0.1
RECOVERED = 0.95  # of the attempts of a bin are answered


def events_of(record):
    """What clients.cpp has written."""
    return [Event(began / 1e6, took / 1e6, flow, outcome)
            for began, took, flow, outcome, _ in RECORD.iter_unpack(record)]


def attempts(events, first, last, flow=None):
    return [one for one in events if one.outcome != LOGIN and first <= one.began < last
            and flow in (None, one.flow)]


def quantile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else math.nan


def latency_ms(events, share, outcome=ANSWERED):
    return 1000 * quantile([one.took for one in events if one.outcome == outcome], share)


def refusal_ms(events, share):
    return latency_ms(events, share, REFUSED)


def share(events, outcome=ANSWERED):
    return sum(one.outcome == outcome for one in events) / len(events) if events else math.nan


def answered_per_second(events, first, last):
    """By the time of the answer: what the clients really got in that span."""
    count = sum(one.outcome == ANSWERED and first <= one.began + one.took < last for one in events)
    return count / (last - first)


def recovery(events, after, last):
    """Seconds from `after` to the end of the last bin in which too few were answered."""
    worst = 0.0
    for number in range(round((last - after) / BIN)):
        begun = attempts(events, after + number * BIN, after + (number + 1) * BIN)
        if begun and share(begun) < RECOVERED:
            worst = (number + 1) * BIN
    return worst


def first_answer(events, after):
    """Seconds from `after` to the first answer."""
    ends = [one.began + one.took for one in events if one.outcome == ANSWERED]
    return min((end - after for end in ends if end >= after), default=math.nan)
