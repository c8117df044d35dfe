"""Read what a stranger made in a child process, with limits on memory and processor time.

Decoders written in C may crash, and a small file may take hours. The child answers with JSON and
arrays of numbers; nothing in an answer is executed. Memory is limited on Linux, processor time also
on macOS; elsewhere only the time by the clock is.
"""

import contextlib
import importlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any, NoReturn

import numpy as np

from calligan import errors
from calligan.limits import (
    MAX_ANSWER_BYTES,
    MAX_JSON_BYTES,
    MAX_READER_BYTES,
    MAX_READER_S,
    MAX_READER_WAIT_S,
)
from calligan.reading import parse_json

Answer = tuple[Any, list[np.ndarray]]  # JSON values, and arrays of numbers
_LENGTH_BYTES = 8
# A thread reserves memory, which is limited.
_ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OPENCV_FOR_THREADS_NUM", "MALLOC_ARENA_MAX"), "1"
)


class ChildReader:
    """A child process that reads files; started at the first call, and again after its death."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "ChildReader":
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def call(self, function: str, *arguments: Any, what: str, seconds: float = 0.0) -> Answer:
        """Call `function` ("module:name", which returns an Answer) on JSON values in the child.

        `seconds` are allowed beyond the limit. Raises the child's CalliganError, or DataError,
        naming `what`, if it died, took too long, or failed otherwise.
        """
        process = self._process = self._process or _start()
        late = threading.Event()

        def stop() -> None:
            late.set()
            process.kill()

        timer = threading.Timer(MAX_READER_WAIT_S + max(0, 6 * seconds), stop)
        timer.start()
        try:
            assert process.stdin is not None and process.stdout is not None
            request = [function, arguments, MAX_READER_S + seconds]
            _send(process.stdin, json.dumps(request).encode())
            return _receive(process.stdout, what)
        except errors.CalliganError:
            raise
        except BaseException as error:
            self._end()
            if not isinstance(error, OSError | ValueError | EOFError):
                raise
            raise _died(what, process, late.is_set()) from error
        finally:
            timer.cancel()

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()


def call(function: str, *arguments: Any, what: str, seconds: float = 0.0) -> Answer:
    """`ChildReader.call` in a child of its own."""
    with ChildReader() as child:
        return child.call(function, *arguments, what=what, seconds=seconds)


def _start() -> "subprocess.Popen[bytes]":
    paths = [str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, **_ONE_THREAD, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "calligan.apart"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
    )


def _died(what: str, process: "subprocess.Popen[bytes]", late: bool) -> errors.DataError:
    code = process.returncode
    if late:
        reason = "reading it takes minutes"
    elif code == -_SIGXCPU:
        reason = f"reading it takes more than {MAX_READER_S:.0f} seconds of processor time"
    else:
        reason = f"reading it ended the reader ({_ending(code)})"
    return errors.DataError(f"cannot read {what}: {reason}; it is damaged or hostile: leave it out")


def _ending(code: int) -> str:
    import signal

    with contextlib.suppress(ValueError):
        if code < 0:
            return signal.Signals(-code).name
    return f"exit code {code}"


def _send(file: IO[bytes], data: bytes) -> None:
    file.write(len(data).to_bytes(_LENGTH_BYTES) + data)
    file.flush()


def _get(file: IO[bytes], count: int) -> bytes:
    data = file.read(count)
    if len(data) < count:
        raise EOFError
    return data


def _receive(file: IO[bytes], what: str) -> Answer:
    length = int.from_bytes(_get(file, _LENGTH_BYTES))
    if length > MAX_JSON_BYTES:
        raise ValueError
    answer = parse_json(_get(file, length))
    if "error" in answer:
        _raise(answer, what)
    shapes = [(np.dtype(kind), tuple(shape)) for kind, shape in answer["arrays"]]
    sizes = [kind.itemsize * int(np.prod(shape, dtype=float)) for kind, shape in shapes]
    if sum(sizes) > MAX_ANSWER_BYTES or any(kind.kind not in "biuf" for kind, _ in shapes):
        raise ValueError
    parts = zip(shapes, sizes, strict=True)
    arrays = [np.frombuffer(_get(file, n), kind).reshape(shape) for (kind, shape), n in parts]
    return answer["told"], arrays


def _raise(answer: dict[str, Any], what: str) -> NoReturn:
    kind = getattr(errors, str(answer["error"]), None)
    if isinstance(kind, type) and issubclass(kind, errors.CalliganError):
        raise kind(str(answer["message"]))
    raise errors.DataError(
        f"cannot read {what}: {answer['message']}; it is damaged or hostile: leave it out"
    )


# In the child:

_SIGXCPU = 24


def _serve(requests: IO[bytes], answers: IO[bytes]) -> None:
    while length := requests.read(_LENGTH_BYTES):
        name, arguments, seconds = json.loads(_get(requests, int.from_bytes(length)))
        told, arrays = _answer(name, arguments, seconds)
        shapes = [(array.dtype.str, array.shape) for array in arrays]
        header = told if "error" in told else {"told": told["told"], "arrays": shapes}
        _send(answers, json.dumps(header).encode())
        for array in arrays:
            answers.write(np.ascontiguousarray(array).tobytes())
        answers.flush()


def _answer(name: str, arguments: Iterable[Any], seconds: float) -> tuple[Any, list[np.ndarray]]:
    module, _, function = name.partition(":")
    called = getattr(importlib.import_module(module), function)
    _limit(seconds)
    try:
        told, arrays = called(*arguments)
        return {"told": told}, arrays
    except errors.CalliganError as error:
        return {"error": type(error).__name__, "message": str(error)}, []
    except MemoryError:
        limit_mb = MAX_READER_BYTES >> 20
        return {"error": "", "message": f"reading it takes more than {limit_mb} MB of memory"}, []
    except Exception as error:  # a decoder's own
        return {"error": "", "message": f"{type(error).__name__}: {error}"[:300]}, []


def _limit(seconds: float) -> None:
    """Limit this process's memory and further processor time, where the system can."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        used = resource.getrusage(resource.RUSAGE_SELF)
        hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
        whole_s = int(used.ru_utime + used.ru_stime + seconds) + 1
        resource.setrlimit(resource.RLIMIT_CPU, (whole_s, hard))
        pages = int(_read_first("/proc/self/statm"))
        bound = pages * resource.getpagesize() + MAX_READER_BYTES
        resource.setrlimit(resource.RLIMIT_AS, (bound, resource.getrlimit(resource.RLIMIT_AS)[1]))


def _read_first(path: str) -> str:
    with open(path, encoding="ascii") as file:  # noqa: PTH123
        return file.read().split()[0]


def main() -> None:
    """Answer requests on stdin until it ends. What a library prints goes nowhere."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    _serve(sys.stdin.buffer, answers)


if __name__ == "__main__":
    main()
