"""How a run is ended from outside: Ctrl-C and SIGTERM become exceptions, so that everything is tidied up."""

from __future__ import annotations

import signal
import types
from collections.abc import Iterator
from contextlib import contextmanager


class Terminated(BaseException):
    """SIGTERM came."""


@contextmanager
def signals_raised() -> Iterator[None]:
    """Have SIGTERM end the work as Ctrl-C does, with everything tidied up; a second Ctrl-C ends it there and then.

    Raised while Python or TensorFlow take themselves apart, a second KeyboardInterrupt would make the process abort.
    After a first one the system's own handling therefore stays.
    """

    def stop(number: int, frame: types.FrameType | None) -> None:
        raise Terminated

    def interrupt(number: int, frame: types.FrameType | None) -> None:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        raise KeyboardInterrupt

    try:
        before = signal.signal(signal.SIGTERM, stop)
    except ValueError:
        # Only the main thread may handle signals; another's caller has its own ways.
        yield
        return
    # A process in a shell's background has SIGINT ignored, and keeps it so.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
        if signal.getsignal(signal.SIGINT) is interrupt:
            signal.signal(signal.SIGINT, signal.default_int_handler)
