"""Run a command that serves a site, read its first page, press Ctrl-C: `python serve_once.py COMMAND ...`."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import urllib.request


def main() -> int:
    """The command's own exit status; 1 where it served nothing."""
    # Shells start what runs in the background deaf to Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with subprocess.Popen([*sys.argv[1:], "0"], stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            sys.stderr.write(line)
            if found := re.search(r"http://\S+", line):
                with urllib.request.urlopen(found[0], timeout=60) as answer:
                    assert b"<html" in answer.read()
                process.send_signal(signal.SIGINT)
                return process.wait(60)
    return 1


if __name__ == "__main__":
    sys.exit(main())
