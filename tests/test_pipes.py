"""For scripts: files to a pipe, summaries as JSON, quiet commands, short help, exit codes."""

import io
import json
import shlex
import subprocess
import sys
from types import SimpleNamespace
from xml.etree import ElementTree

import pytest
from conftest import HAN
from PIL import Image

from calligan.__main__ import open_closed_streams
from calligan.cli import app, fonts, main, show
from calligan.cli.options import with_options
from calligan.errors import DataError
from calligan.page.drawing import Page
from calligan.page.output import Look, page_bytes, pages_bytes
from calligan.progress import count_progress

COMMANDS = [command.name for command in app.registered_commands]


@pytest.fixture
def run(monkeypatch, capfdbinary, tmp_path, inked_model, font_folder):
    """Run a command in this process: exit code, stdout in bytes, stderr."""

    def run(command, *options, model=True):
        own = ("--model", inked_model, "--source", font_folder / "source.ttf") if model else ()
        monkeypatch.setattr(sys, "argv", ["calligan", command, *map(str, (*options, *own))])
        monkeypatch.chdir(tmp_path)
        with pytest.raises(SystemExit) as ended:
            main()
        show.be_quiet(False)
        show.claim_stdout()
        out, err = capfdbinary.readouterr()
        return ended.value.code, out, err.decode()

    return run


@pytest.mark.parametrize("kind", ["png", "jpg", "jpeg", "webp", "gif", "svg", "pdf"])
def test_a_page_to_a_pipe(run, kind):
    code, out, err = run("infer", "一丁", "-o", "-", "--as", kind)
    assert code == 0, err
    if kind == "svg":
        assert ElementTree.fromstring(out).tag.endswith("svg")
    elif kind == "pdf":
        assert out.startswith(b"%PDF") and out.rstrip().endswith(b"%%EOF")
    else:
        image = Image.open(io.BytesIO(out))
        image.load()
        assert image.format == {"jpg": "JPEG", "jpeg": "JPEG"}.get(kind, kind.upper())
        image.seek(getattr(image, "n_frames", 1) - 1)  # of a film, the last picture
        darkest, lightest = image.convert("L").getextrema()
        assert darkest < 60 and lightest > 200


def test_a_file_is_the_same_as_the_pipe(run, tmp_path):
    for kind in ("png", "webp", "svg"):
        code, out, err = run("infer", "一丁", "-o", "-", "--as", kind)
        assert code == 0, err
        assert run("infer", "一丁", "-o", f"a.{kind}")[:2] == (0, f"a.{kind}\n".encode())
        assert (tmp_path / f"a.{kind}").read_bytes() == out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("-o", "-", "--as", "bmp"), "--as 'bmp' is not one of png"),
        (("-o", "-", "--json", "-"), "two files"),
        (("-o", "-", "--candidates", "3"), "--candidates"),
        (("-o", "a.jpg", "--transparent"), "cannot be transparent"),
        (("-o", "-", "--as", "jpg", "--transparent"), "cannot be transparent"),
        (("-o", "-", "--format", "letter"), "pages, and .png holds one"),
    ],
)
def test_what_no_pipe_can_take_is_refused_in_one_line(run, options, said):
    text = 400 * "一丁" if "letter" in options else "一丁"
    code, out, err = run("infer", text, *options)
    assert code == 2 and out == b""
    assert err.splitlines()[-1].startswith("calligan: ")
    assert said in err


def test_pages_that_a_format_cannot_hold():
    page = Page(20_000, 10)
    with pytest.raises(DataError, match="WEBP holds at most 16383 pixels"):
        page_bytes(".webp", page, Look())
    with pytest.raises(DataError, match="JPEG holds at most 65535 pixels"):
        page_bytes(".jpg", page, Look())
    with pytest.raises(DataError, match="2 pages"):
        pages_bytes(".png", [page, page], Look())


def test_quiet_leaves_out_notes_and_not_errors(run):
    code, out, err = run("infer", "一丁A", "-o", "a.png")
    assert code == 0 and "taken from the source font: A" in err
    code, out, err = run("infer", "一丁A", "-o", "a.png", "--quiet")
    assert (code, out, err) == (0, b"a.png\n", "")
    code, out, err = run("infer", "一丁龘", "-o", "a.png", "-q")
    assert code == 2 and "龘" in err


def test_summaries_are_one_object_on_stdout(run, font_folder, inked_model):
    code, out, err = run("infer", "一丁A", "-o", "a.png", "--json", "-", "--style", "1,2")
    told = json.loads(out)
    assert code == 0 and told["files"] == ["a.png"] and told["styles"] == ["bold", "slanted"]
    assert (told["drawn"], told["borrowed"], told["missing"]) == ("一丁", "A", "")
    assert set(told["doubtful"]) <= {"bold", "slanted"}
    code, out, err = run(
        "export", "--charset", "一丁", "-o", "a.ttf", "--json", "-", "--no-verdict"
    )
    told = json.loads(out)
    assert code == 0 and told["path"] == "a.ttf" and told["style"] == "bold", err
    assert sorted(told["drawn"]) == sorted("一丁") and told["doubtful"] == {}
    code, out, err = run("styles", "--json", "-", "--model", inked_model, model=False)
    told = json.loads(out)
    assert [(s["number"], s["name"]) for s in told["styles"]] == [(1, "bold"), (2, "slanted")]
    what = ("--charset", HAN[:8], "--font", font_folder / "source.ttf")
    code, out, err = run("check", font_folder / "bold.ttf", *what, "--json", "-", model=False)
    assert code == 0 and isinstance(json.loads(out), dict), err


def test_a_summary_in_a_file_is_the_same(run, tmp_path, inked_model):
    code, out, _ = run("styles", "--json", "-", "--model", inked_model, model=False)
    code, table, _ = run("styles", "--json", "s.json", "--model", inked_model, model=False)
    assert code == 0 and b"slanted" in table and table.endswith(b"s.json\n")
    assert json.loads((tmp_path / "s.json").read_text()) == json.loads(out)


@pytest.mark.parametrize("command", [*COMMANDS, "fonts"])
def test_short_help_and_exit_codes(run, command):
    code, short, _ = run(command, "-h", model=False)
    assert code == 0 and run(command, "--help", model=False)[1] == short
    if command != "fonts":
        assert (
            b"--quiet" in short
            and b"Exit codes: 0 done; 1 a font" in short
            and b"4 training" in short
        )


def test_the_groups_have_short_help_too(run):
    assert run("-h", model=False)[1] == run("--help", model=False)[1]
    assert len(COMMANDS) == 16 and len(fonts.app.registered_commands) == 1
    assert run("fonts", "fetch", "-h", model=False)[0] == 0


@pytest.mark.parametrize("shown", [show.note, show.result, None])
def test_a_command_that_shows_nothing_says_that_it_works(shown, monkeypatch, capsys):
    late = []

    def timer(wait_s, call, arguments):
        late[:] = [lambda: call(*arguments)]
        return SimpleNamespace(start=lambda: None, cancel=late.clear)

    def slow() -> None:
        if shown:
            shown("here")
        late[0]()

    monkeypatch.setattr(show.threading, "Timer", timer)
    for quiet, silent in ((True, ""), (False, "calligan slow: working …\n")):
        with_options(slow)(quiet=quiet)
        expected = "here\n" if shown and not (quiet and shown is show.note) else ""
        assert "".join(capsys.readouterr()) == (expected if shown else silent) and not late


def test_on_a_pipe_lines_tell_how_far_it_is(monkeypatch, capsys):
    monkeypatch.setattr(show, "LINE_S", 0)
    with show.progress("", "glyph") as update:
        add = count_progress("drawing", 4_000, update)
        add(64)
    drawn = ("drawing: 0 of 4,000 glyphs", "drawing: 64 of 4,000 glyphs")
    assert capsys.readouterr().err.splitlines() == [*drawn]


def test_closed_streams_are_opened(monkeypatch):
    """The shell's `<&-`, `>&-` and `2>&-`, with which Python has no such stream at all."""
    for name in ("stdin", "stdout", "stderr"):
        monkeypatch.setattr(sys, name, None)
    open_closed_streams()
    with sys.stdin, sys.stdout, sys.stderr:
        assert sys.stdin.buffer.read() == b""
        assert sys.stdout.buffer.write(b"a") == 1 and not sys.stderr.isatty()


@pytest.mark.skipif(sys.platform == "win32", reason="closes streams as POSIX shells do")
@pytest.mark.parametrize(("closed", "words"), [("<&-", ["text is empty"]), ("2>&-", [])])
def test_commands_with_closed_streams(tmp_path, closed, words):
    command = f"exec {shlex.quote(sys.executable)} -m calligan infer - -q -o a.png {closed}"
    done = subprocess.run(
        ["sh", "-c", command], cwd=tmp_path, input="", capture_output=True, text=True
    )
    assert done.returncode == 2 and not done.stdout and not list(tmp_path.iterdir())
    assert len(done.stderr.splitlines()) == len(words)
    assert all(word in done.stderr for word in words)
