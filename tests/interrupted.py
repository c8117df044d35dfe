"""Run commands in forked processes that stop, or die, in the middle of a write.

A script, whose argument is a folder of fonts to fetch: it imports everything once, then forks a child for each line of JSON on standard input:
{"argv", "cwd", "stop", "at", "marker", "stdout", "stderr"}. With `stop`, the call of that kind
number `at` creates the file `marker` and hangs until the marker is gone; a `rename` kills, and what
is `stubborn` hangs whatever is raised. It prints the child's process id; for {"wait": ID}, its exit status.
{"export": MODEL} exports a model to ONNX, as the children of `convert` then take it.
"""

import contextlib
import gc
import json
import os
import signal
import sys
import time
from importlib import import_module
from pathlib import Path

from quick import make_quick

MODULES = (  # imported before forking, so that each child starts at once
    "calligan.cli",
    "calligan.evaluation.evaluate",
    "calligan.inference.pages",
    "calligan.inference.written",
    "calligan.library.checking",
    "calligan.library.films",
    "calligan.library.fonts",
    "calligan.library.hands",
    "calligan.library.restyling",
    "calligan.library.scanning",
    "calligan.inference.sample",
    "calligan.library.judging",
    "calligan.models.upscaler",
    "calligan.reader.inspection",
    "calligan.training.animation",
    "cv2",
    "numpy.ma",
    "reportlab.pdfgen.canvas",
    "torch._dynamo",
    "torch.utils.data",
)
QUICKER = (  # what one command or another imports later, where it is installed
    "filelock",
    "fontTools.ttLib",
    "onnx",
    "onnxruntime",
    "onnxscript",
    "pydantic.type_adapter",
    "typer._adapters",
    "uharfbuzz",
    "torch.onnx._internal.exporter._core",
)
CATALOG = Path(sys.argv[1])  # of fonts to fetch; its folder `tools` has an npm
CALLS = {
    "sync": [(os, "fsync")],
    "stubborn": [(os, "fsync")],
    "rename": [(Path, "replace"), (Path, "rename")],
}


def main() -> None:
    """Serve requests until standard input ends."""
    for name in MODULES:
        import_module(name)
    for name in QUICKER:
        with contextlib.suppress(ImportError):
            import_module(name)
    import_module("PIL.Image").preinit()
    make_quick()
    gc.freeze()  # so that collecting garbage does not copy what children share
    for line in sys.stdin:
        request = json.loads(line)
        if "wait" in request:
            answer = os.waitstatus_to_exitcode(os.waitpid(request["wait"], 0)[1])
        elif "export" in request:
            answer = keep_export(Path(request["export"]))
        elif not (answer := os.fork()):
            run(**request)
        print(answer, flush=True)


def keep_export(model: Path) -> int:
    """Export a model once, which takes seconds; children still check, pack and write it."""
    graph = import_module("calligan.models.graph")
    job = import_module("calligan.library.converting")._generator(model)
    made = graph._exported(job.network, job.inputs, job.output)
    graph._exported = lambda *given: made
    return 0


def run(argv, cwd, stop, at, marker, stdout, stderr) -> None:
    """In the child: the command, as from a terminal of its own."""
    from calligan.__main__ import main

    os.setsid()
    os.chdir(cwd)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for number, path in ((1, stdout), (2, stderr)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    for owner, name in CALLS.get(stop, ()):
        setattr(owner, name, stopping(getattr(owner, name), stop, at, Path(marker)))
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for ignored in (signal.SIGTERM, signal.SIGHUP):  # SIGHUP is, where the suite runs under nohup
        signal.signal(ignored, signal.SIG_DFL)
    if argv[0] == "fonts":
        catalog = import_module("calligan.glyphs.catalog")
        catalog.data_folder = lambda name: CATALOG
        os.environ.update(CALLIGAN_CACHE="made/too", PATH=str(CATALOG / "tools"))
    sys.argv = ["calligan", *argv]
    code = 1
    try:
        main()
    except SystemExit as error:
        code = error.code or 0
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def stopping(call, stop, at, marker):
    """The call, which hangs or dies at its turn."""
    calls = []

    def run(*arguments):
        calls.append(arguments)
        if len(calls) == at:
            if stop == "rename":
                marker.touch()
                os.kill(os.getpid(), signal.SIGKILL)
            hang(marker, stop == "stubborn")
        return call(*arguments)

    return run


def hang(marker: Path, stubborn: bool) -> None:
    """Make the marker and wait until it is gone; if stubborn, whatever is raised meanwhile."""
    made = False
    while True:
        try:
            if not made:  # within `try`: a signal may come as soon as the marker is there
                marker.touch()
                made = True
            while marker.exists():
                time.sleep(0.01)
            return
        except KeyboardInterrupt:
            if not stubborn:
                raise


if __name__ == "__main__":
    main()
