"""The verbs. The only room that prints, prompts or exits; heavy imports wait inside commands."""

import logging
import sys
from typing import NoReturn

import typer

from calligan.cli import (
    animate,
    check,
    convert,
    evaluate,
    export,
    fonts,
    infer,
    learn,
    morph,
    render_pairs,
    restyle,
    sample,
    scan,
    studio,
    styles,
    template,
    train,
)
from calligan.cli.show import visible
from calligan.errors import CalliganError

app = typer.Typer(
    name="calligan",
    help="Chinese calligraphy font synthesis: learn a hand from fonts, write any text in it.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    add_completion=False,
)
app.add_typer(fonts.app, name="fonts", short_help="The catalog of open fonts.")
app.command("render-pairs", short_help="Fonts to paired glyph images.")(render_pairs.render_pairs)
app.command("train", short_help="Pairs to a model.")(train.train)
app.command("styles", short_help="What a model can write.")(styles.styles)
app.command("infer", short_help="Text to a picture in a style.")(infer.infer)
app.command("export", short_help="A style to an installable font.")(export.export)
app.command("evaluate", short_help="Held-out figures of a model.")(evaluate.evaluate)
app.command("template", short_help="Sheets to write your own hand on.")(template.template)
app.command("scan", short_help="Photographed pages to labelled glyphs.")(scan.scan)
app.command("learn", short_help="Your own hand, from a few glyphs.")(learn.learn)
app.command("check", short_help="What is wrong with a font's glyphs.")(check.check)
app.command("convert", short_help="A model as an ONNX file.")(convert.convert)
app.command("morph", short_help="From style to style, as a film.")(morph.morph)
app.command("animate", short_help="Training as a film, or as curves.")(animate.animate)
app.command("sample", short_help="Glyphs out of noise.")(sample.sample)
app.command("restyle", short_help="Pictures of glyphs, in another hand.")(restyle.restyle)
app.command("studio", short_help="Everything, in a browser.")(studio.studio)

# Typer carries its own copy of click from 0.16 on, and the real one before; both are this class.
_UsageError: type[Exception] = typer.BadParameter.__mro__[1]


_INTERRUPTED = 130  # exit code after Ctrl-C, as shells have it


@app.callback(invoke_without_command=True)
def _root(
    version: bool = typer.Option(False, "--version", help="Print the version and exit."),
) -> None:
    if version:
        from calligan import __version__

        typer.echo(f"calligan {__version__}")
        raise typer.Exit


def main() -> NoReturn:
    """Run a command; whatever a user can mend ends in one line on stderr and exit code 2."""
    logging.getLogger("fontTools").setLevel(logging.ERROR)  # its warnings are no news to a user
    try:
        outcome = app(standalone_mode=False)
        if outcome == _INTERRUPTED:  # Typer's way to say so
            raise KeyboardInterrupt
        sys.exit(outcome if isinstance(outcome, int) else 0)
    except CalliganError as error:
        _fail(str(error), error.exit_code)
    except _UsageError as error:
        _usage(error)
    except (typer.Abort, KeyboardInterrupt):
        _fail("interrupted", _INTERRUPTED)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(141)
    except OSError as error:
        _fail(f"{error.filename or 'input/output'}: {error.strerror or error}", 2)


def _usage(error: BaseException) -> NoReturn:
    message = error.format_message()  # type: ignore[attr-defined]
    if type(error).__name__ == "NoArgsIsHelpError":
        typer.echo(message)
        sys.exit(0)
    context = getattr(error, "ctx", None)
    hint = f"; see `{context.command_path} --help`" if context else ""
    _fail(message.rstrip(".") + hint, 2)


def _fail(message: str, code: int) -> NoReturn:
    print(f"calligan: {visible(' '.join(message.split()))}", file=sys.stderr)
    sys.exit(code)
