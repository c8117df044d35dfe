"""Run `python -m MODULE` in processes forked from one that has imported torch: seconds less each.

A script with two uses: `forked.py serve SOCKET` answers until its standard input ends, and
`forked.py call SOCKET MODULE ARGUMENT…` runs one module with this process's files, folder and
environment, as `python -m MODULE ARGUMENT…` does.
"""

import atexit
import contextlib
import gc
import json
import os
import runpy
import select
import signal
import socket
import sys
import threading
import traceback
from importlib import import_module
from pathlib import Path
from typing import IO, NoReturn

MODULES = (  # imported before forking: what most commands need
    "calligan.cli",
    "calligan.inference.export",
    "calligan.inference.pages",
    "calligan.inference.written",
    "calligan.library.checking",
    "calligan.library.fonts",
    "calligan.library.hands",
    "calligan.library.judging",
    "calligan.library.model",
    "calligan.library.pairs",
    "calligan.library.training",
    "calligan.models.upscaler",
    "calligan.reader.inspection",
    "filelock",
    "numpy.ma",
    "reportlab.pdfgen.canvas",
    "torch._dynamo",
)
QUICKER = (  # what one command or another imports later, where it is installed
    "cv2",
    "onnxruntime",
    "pydantic.type_adapter",
    "typer._adapters",
    "uharfbuzz",
    "calligan.studio.app",
    "calligan.studio.tasks",
    "uvicorn.protocols.http.auto",
)
_MAX_MESSAGE_BYTES = 150_000  # of a socket that keeps messages apart


def caller(path: str) -> list[str]:
    """The command that runs a module in a process that is forked."""
    return [sys.executable, "-I", __file__, "call", path]


def serve(path: str) -> str:
    """Fork a process for each request; in it, return the module to run."""
    for name in MODULES:
        import_module(name)
    for name in QUICKER:
        with contextlib.suppress(ImportError):
            import_module(name)
    import_module("PIL.Image").preinit()
    import_module("calligan.studio.jobs").RUN_MODULE = caller(path)
    import_module("quick").make_quick()
    gc.freeze()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(f"{path}~")
    listener.listen()
    Path(f"{path}~").rename(path)  # from here on it answers
    running: dict[int, tuple[int, socket.socket]] = {}
    while True:
        for ready in select.select([0, listener, *running], [], [])[0]:
            if ready == 0:
                sys.exit()
            elif ready is listener:
                client, _ = listener.accept()
                message, files, _, _ = socket.recv_fds(client, _MAX_MESSAGE_BYTES, 3)
                if not (pid := os.fork()):
                    listener.close()
                    client.close()
                    for other, (_, its_client) in running.items():
                        os.close(other)
                        its_client.close()
                    return become(files, **json.loads(message))
                for file in files:
                    os.close(file)
                answer(client, pid)
                running[os.pidfd_open(pid)] = pid, client
            else:
                pid, client = running.pop(ready)
                os.close(ready)
                code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
                answer(client, code)
                client.close()


def answer(client: socket.socket, number: int) -> None:
    """Send a number to a client, which may be gone."""
    with contextlib.suppress(OSError):
        client.send(str(number).encode())


def can_serve() -> bool:
    """Whether forking is safe here, and a process can be waited for beside a socket."""
    try:
        os.close(os.pidfd_open(os.getpid()))  # Linux from 5.3 on
    except (AttributeError, OSError):
        return False
    return True


def become(files: list[int], argv: list[str], cwd: str, env: dict[str, str]) -> str:
    """Take the files, folder, environment and arguments of the client; the module to run."""
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    sys.argv = argv
    sys.path[0] = cwd
    return argv[0]


def call(path: str, argv: list[str], files: list[int], cwd: str, env: dict, timeout=None) -> int:
    """Run a module to its end; its exit code, negative if a signal ended it."""
    running = Running(path, argv, files, cwd, env, timeout)
    try:
        return running.wait()
    except TimeoutError:
        running.kill()
        running.client.close()
        raise


class Running:
    """A module that runs in a forked process: `argv` is its name and arguments."""

    stdin: IO[str] | None = None  # this process's ends of its pipes
    stdout: IO[str] | None = None

    def __init__(self, path: str, argv: list[str], files: list[int], cwd: str, env: dict, timeout):
        message = json.dumps({"argv": argv, "cwd": cwd, "env": env}).encode()
        self.client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.client.settimeout(timeout)
        self.client.connect(path)
        socket.send_fds(self.client, [message], files)
        self.pid = int(self.client.recv(99))

    def send_signal(self, number: int) -> None:
        """Send it a signal."""
        os.kill(self.pid, number)

    def kill(self) -> None:
        """Kill it; it is still to be waited for."""
        self.send_signal(signal.SIGKILL)

    def has_ended(self) -> bool:
        """Whether it has ended by itself."""
        return bool(select.select([self.client], [], [], 0)[0])

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code, negative if a signal ended it."""
        self.client.settimeout(timeout or self.client.gettimeout())
        code = int(self.client.recv(99))
        for end in filter(None, (self.client, self.stdin, self.stdout)):
            end.close()
        return code


def run_and_exit(module: str) -> NoReturn:
    """Run a module and end as an interpreter does, but leave its modules as they are.

    To take them apart would copy most of what is shared with the other processes.
    """
    code: object = 1
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as ended:
        code = ended.code or 0
        if not isinstance(code, int):
            print(code, file=sys.stderr)
            code = 1
    except BaseException:
        traceback.print_exc()
    threading._shutdown()
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code & 0xFF)


if __name__ == "__main__":
    use, path, *argv = sys.argv[1:]
    if use == "call":
        sys.exit(call(path, argv, [0, 1, 2], str(Path.cwd()), dict(os.environ)))
    run_and_exit(serve(path))
