"""The commands. Only this subpackage prints, prompts or exits; commands import torch when run."""

import contextlib
import logging
import sys
from typing import NoReturn

import typer

from calligan.cli import fonts, hands, models, sheets
from calligan.cli.infer import infer
from calligan.cli.options import Command, with_options
from calligan.cli.studio import studio
from calligan.errors import CalliganError
from calligan.escape import escape_controls
from calligan.interrupts import received
from calligan.requests.drawing import EXIT_DOUBTFUL

_COMMANDS: dict[Command, str | None] = {
    models.render_pairs: "Turn fonts into training data.",
    models.train: "Train a model.",
    sheets.styles: "List the styles of a model.",
    infer: "Write a text in a style.",
    fonts.export: "Make an installable font.",
    models.evaluate: "Measure a model on held-out characters.",
    hands.template: "Make sheets to write your own hand on.",
    hands.scan: "Cut glyphs out of photographed pages.",
    hands.learn: "Learn your own hand from a few glyphs.",
    fonts.check: "Find faulty glyphs in a font.",
    models.convert: "Convert a model to ONNX.",
    sheets.morph: "Animate a text between styles.",
    sheets.animate: "Show a training run as a film or curves.",
    sheets.sample: "Draw glyphs from noise.",
    sheets.restyle: "Redraw pictures of glyphs in another style.",
    studio: "Open the studio in a browser.",
    fonts.fetch: None,
}
_HELP = {"help_option_names": ["-h", "--help"]}
_EXIT_CODES = (
    "Exit codes: 0 done; 1 a font could not be fetched; 2 an option, file or text that cannot be "
    f"used; {EXIT_DOUBTFUL} with --strict, if a glyph stays doubtful; 4 training diverged; "
    "130 interrupted."
)

app = typer.Typer(
    name="calligan",
    help="Chinese calligraphy font synthesis: learn a style from fonts, write any text in it.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    add_completion=False,
    context_settings=_HELP,
    epilog=_EXIT_CODES,
)
app.add_typer(
    fonts.app, name="fonts", short_help="List and fetch open fonts.", context_settings=_HELP
)
for _command, _about in _COMMANDS.items():
    _group = fonts.app if _command is fonts.fetch else app
    _group.command(
        _command.__name__.replace("_", "-"),
        short_help=_about,
        context_settings=_HELP,
        epilog=_EXIT_CODES,
    )(with_options(_command))

# Typer has its own copy of click from 0.16 on, and imports click before; this is either's class.
_UsageError: type[Exception] = typer.BadParameter.__mro__[1]


_INTERRUPTED = 130  # exit code after Ctrl-C, as in shells
_KEPT = {  # what an interrupted command leaves
    "export": "what is drawn is kept: repeat the command to go on",
    "render-pairs": "finished fonts are kept: repeat the command to go on",
    "fonts": "fetched fonts are kept: repeat the command to go on",
    "learn": "repeat the command to go on",
    "train": "if it had begun, `calligan train --resume` goes on from its last checkpoint",
}
_TAKE_TEXT = (["infer"], ["morph"], ["sample"])  # commands
_NOTHING_KEPT = "nothing unfinished was kept"


@app.callback(invoke_without_command=True)
def _root(
    version: bool = typer.Option(False, "--version", help="Print the version and exit."),
) -> None:
    if version:
        from calligan import __version__

        typer.echo(f"calligan {__version__}")
        raise typer.Exit


def main() -> NoReturn:
    """Run a command. An error that the user can fix ends in one line on stderr and exit code 2."""
    logging.getLogger("fontTools").setLevel(logging.ERROR)  # hide its warnings
    try:
        outcome = app(standalone_mode=False)
    except BaseException as error:
        if received:  # libraries may turn an interruption into another error
            _fail_interrupted()
        _report(error)
        raise
    if outcome == _INTERRUPTED:  # Typer returns this after KeyboardInterrupt
        _fail_interrupted()
    sys.exit(outcome if isinstance(outcome, int) else 0)


def _report(error: BaseException) -> None:
    """Print an error that the user can fix, and exit; return for any other."""
    if isinstance(error, CalliganError):
        _fail(str(error), error.exit_code)
    if isinstance(error, _UsageError):
        _usage(error)
    if isinstance(error, typer.Abort | KeyboardInterrupt):
        _fail_interrupted()
    if isinstance(error, BrokenPipeError):
        sys.stderr.close()
        sys.exit(141)
    if isinstance(error, OSError):
        _fail(f"{error.filename or 'input/output'}: {error.strerror or error}", 2)


def _fail_interrupted() -> NoReturn:
    kept = _KEPT.get("".join(sys.argv[1:2]), _NOTHING_KEPT)
    _fail(f"interrupted; {kept}", 128 + received[0] if received else _INTERRUPTED)


def _usage(error: BaseException) -> NoReturn:
    message = error.format_message()  # type: ignore[attr-defined]
    if type(error).__name__ == "NoArgsIsHelpError":
        typer.echo(message)
        sys.exit(0)
    context = getattr(error, "ctx", None)
    hint = f"; see `{context.command_path} --help`" if context else ""
    unquoted = "unexpected extra argument" in message and sys.argv[1:2] in _TAKE_TEXT
    cure = "; put a text that has spaces in quotes" if unquoted else ""
    _fail(message.rstrip(".") + cure + hint, 2)


def _fail(message: str, code: int) -> NoReturn:
    with contextlib.suppress(OSError):  # the terminal may be closed
        print(f"calligan: {escape_controls(' '.join(message.split()))}", file=sys.stderr)
    sys.exit(code)
