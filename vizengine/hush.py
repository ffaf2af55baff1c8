"""Keep TensorFlow's start-up chatter off the terminal without hiding what matters."""

from __future__ import annotations

import importlib.machinery
import os
import sys
import tempfile
import types
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

_LIBRARY = "tensorflow"


class _HushedImport:
    """Finder that silences the native error stream while TensorFlow is imported, once."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """TensorFlow's own spec with a loader that is silent; None for every other module."""
        if name != _LIBRARY:
            return None
        sys.meta_path.remove(self)
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def silently(module: types.ModuleType) -> None:
                with _native_errors_held():
                    execute(module)

            spec.loader.exec_module = silently  # type: ignore[method-assign]
        return spec


def hush_tensorflow() -> None:
    """Have TensorFlow start without its notes on processors and missing GPUs.

    Its C++ parts write to the error stream by themselves before any setting reaches them, so the stream is held
    while it is imported; where the import fails, what was held is shown. Errors that come later are shown as ever.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
    if _LIBRARY not in sys.modules and not any(isinstance(each, _HushedImport) for each in sys.meta_path):
        sys.meta_path.insert(0, _HushedImport())


@contextmanager
def _native_errors_held() -> Iterator[None]:
    """Hold what is written to file descriptor 2, and show it only when the work fails."""
    sys.stderr.flush()
    try:
        original = os.dup(2)
    except OSError:
        # The process was started without an error stream.
        yield
        return
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        failed = True
        try:
            yield
            failed = False
        finally:
            os.dup2(original, 2)
            os.close(original)
            if failed:
                held.seek(0)
                os.write(2, held.read())
