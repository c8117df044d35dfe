"""Whatever goes wrong ends in one line that names it and the cure; nothing is half-written."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
import torch
from conftest import HAN, build_font
from PIL import Image
from test_pairs import snapshot

TEXT = HAN[:2]


@pytest.fixture
def place(tmp_path, font_folder, data_folder, run_folder, inked_model):
    """A folder with good things and bad ones; the table's arguments are formatted with it."""
    good = (font_folder / "source.ttf").read_bytes()
    (tmp_path / "empty.ttf").touch()
    (tmp_path / "short.ttf").write_bytes(good[:300])
    (tmp_path / "fake.ttf").write_text("this is not a font\n" * 50)
    (tmp_path / "picture.otf").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(200))
    (tmp_path / "fake.woff2").write_bytes(b"wOF2" + bytes(300))
    build_font(tmp_path / "latin.ttf", "ABCDEFabc1")
    build_font(tmp_path / "blank.ttf", "A", blank=HAN)
    (tmp_path / "latin1.txt").write_bytes("été".encode("latin-1"))
    (tmp_path / "comments.txt").write_text("# nothing here\n")
    (tmp_path / "bad.toml").write_text("batch_size = = 3")
    (tmp_path / "typo.toml").write_text("batchsize = 3")
    (tmp_path / "type.toml").write_text('batch_size = "many"')
    shutil.copytree(run_folder, tmp_path / "run")
    shutil.copy(inked_model, tmp_path / "run" / "best.safetensors")
    model = bytearray((run_folder / "best.safetensors").read_bytes())
    model[-9] ^= 16
    (tmp_path / "flipped.safetensors").write_bytes(model)
    (tmp_path / "cut.safetensors").write_bytes(model[:500])
    (tmp_path / "hand").mkdir()
    for char in TEXT:
        glyph = np.full((40, 40), 255, np.uint8)
        glyph[10 : 20 + ord(char) % 7, 5:30] = 0
        Image.fromarray(glyph).save(tmp_path / "hand" / f"{char}.png")
    Image.new("L", (60, 60), 255).save(tmp_path / "page.png")
    shutil.copytree(run_folder, tmp_path / "broken-run")
    for path in (tmp_path / "broken-run" / "checkpoints").rglob("state.safetensors"):
        path.write_bytes(path.read_bytes()[:-1])
    shutil.copytree(run_folder, tmp_path / "logless")
    (tmp_path / "logless" / "log.jsonl").unlink()
    (tmp_path / "logless" / "log.jsonl").mkdir()
    (tmp_path / "odd-data").mkdir()
    (tmp_path / "odd-data" / "manifest.json").write_text('{"format": 1, "fonts": [{}]}')
    (tmp_path / "old-data").mkdir()
    (tmp_path / "old-data" / "manifest.json").write_text('{"format": 99}')
    (tmp_path / "plain-file").write_text("in the way")
    (tmp_path / "odd-run").mkdir()
    shutil.copy(run_folder / "config.json", tmp_path / "odd-run")
    (tmp_path / "odd-run" / "run.json").write_text("[]")
    shutil.copytree(data_folder, tmp_path / "source-only")
    manifest = json.loads((data_folder / "manifest.json").read_text())
    manifest["fonts"] = manifest["fonts"][:1]
    (tmp_path / "source-only" / "manifest.json").write_text(json.dumps(manifest))
    return {
        "here": tmp_path,
        "good": font_folder / "source.ttf",
        "bold": font_folder / "bold.ttf",
        "fonts": font_folder,
        "data": data_folder,
        "run": tmp_path / "run",
        "model": tmp_path / "run" / "best.safetensors",
        "text": TEXT,
    }


RENDER = "render-pairs {good} {bold} --size 32 --data {here}/new"
TRAIN = "train --steps 2 --runs {here}/runs --data {data}"
INFER = "infer {text} --model {model} -o {here}/out.png"
ABSENT = "mps" if torch.cuda.is_available() else "cuda"
BAD = [
    # command, words that the one line must hold
    ("render-pairs {here}/empty.ttf {bold} --data {here}/new", ["empty.ttf", "empty"]),
    ("render-pairs {good} {here}/short.ttf --data {here}/new", ["short.ttf", "damaged"]),
    ("render-pairs {good} {here}/fake.ttf --data {here}/new", ["fake.ttf", "not a font"]),
    ("render-pairs {good} {here}/picture.otf --data {here}/new", ["picture.otf", "not a font"]),
    ("render-pairs {good} {here}/fake.woff2 --data {here}/new", ["fake.woff2", "WOFF2"]),
    ("render-pairs {good} {here}/nowhere.ttf --data {here}/new", ["nowhere.ttf", "no font file"]),
    ("render-pairs {good} {fonts} --data {here}/new", ["folder", "font file"]),
    ("render-pairs {good}#3 {bold} --data {here}/new", ["source.ttf", "no #3"]),
    ("render-pairs {good}@Bold {bold} --data {here}/new", ["source.ttf", "not a variable font"]),
    ("render-pairs {good} {here}/latin.ttf --size 32 --data {here}/new", ["latin.ttf", "Chinese"]),
    (
        "render-pairs {good} {here}/blank.ttf --size 32 --data {here}/new",
        ["blank.ttf", "draws only 0"],
    ),
    (
        "render-pairs lxgw-wenkay {bold} --data {here}/new",
        ["lxgw-wenkay", "did you mean lxgw-wenkai"],
    ),
    (RENDER + " --charset gb2321", ["gb2321", "did you mean gb2312"]),
    (RENDER + " --charset {here}/nowhere.txt", ["nowhere.txt", "no such file"]),
    (RENDER + " --charset {here}/latin1.txt", ["latin1.txt", "UTF-8"]),
    (RENDER + " --charset {here}/comments.txt", ["comments.txt", "no characters"]),
    (RENDER + " --size 4", ["raster.size_px", "16 to 1024"]),
    ("render-pairs {good}", ["Missing argument", "--help"]),
    ("render-pairs {good} {bold} --data {here}/plain-file/sub", ["plain-file", "cannot"]),
    ("render-pairs {good} {bold} --data {here}/odd-data", ["odd-data", "damaged"]),
    ("render-pairs {good} {bold} --data {here}/old-data", ["old-data", "another version"]),
    ("fonts fetch no-such-font", ["no-such-font", "calligan fonts"]),
    ("train --steps 2 --data {here}/nothing", ["nothing", "render-pairs"]),
    (TRAIN + " --styles 9", ["2 style(s)", "bold, slanted"]),
    (TRAIN + " --styles bold,nobody", ["nobody", "bold, slanted"]),
    (TRAIN + " --minutes 3", ["--minutes or --steps"]),
    (TRAIN + " --batch-size 0", ["batch_size", "1 or more"]),
    (TRAIN + f" --device {ABSENT}", [ABSENT, "--device auto"]),
    (TRAIN + " --device abacus", ["device", "abacus"]),
    (TRAIN + " --set loss.bcc=1", ["loss.bcc", "did you mean bce"]),
    (TRAIN + " --set loss.objective=hing", ["hing", "hinge"]),
    (TRAIN + " --set generator.blocks=0", ["generator.blocks", "1 or more"]),
    (TRAIN + " --set log_every_steps=0", ["log_every_steps", "1 or more"]),
    (TRAIN + " --set loss.scales=[48]", ["loss.scales"]),
    (TRAIN + " --set discriminator.widths=[8,8,8,8,8,8,8]", ["discriminator.grid"]),
    (TRAIN + " --set optimizer.weight_decay=-1.0", ["optimizer.weight_decay"]),
    (TRAIN + " --set ema_decay=nan", ["ema_decay"]),
    (TRAIN, ["the data is 32 px", "128 px"]),
    ("train --minutes inf --data {data}", ["minutes"]),
    ("train --resume {here}/run --set loss.l1=9", ["--resume"]),
    ("train --resume {here}/run --dry-run", ["--resume"]),
    ("train --resume {here}/odd-run", ["odd-run", "not a training run"]),
    ("train --steps 2 --data {here}/source-only", ["source-only", "no target"]),
    ("styles --model {here}/nowhere", ["nowhere", "no model"]),
    (TRAIN + " --set nonsense", ["nonsense", "KEY=VALUE"]),
    (TRAIN + " --config {here}/bad.toml", ["bad.toml", "TOML"]),
    (TRAIN + " --config {here}/typo.toml", ["typo.toml", "batchsize", "did you mean batch_size"]),
    (TRAIN + " --config {here}/type.toml", ["type.toml", "batch_size", "int"]),
    (TRAIN + " --config {here}/nowhere.toml", ["nowhere.toml"]),
    (TRAIN + " --set generator.widths=[7,9]", ["generator.widths", "multiples of 8"]),
    ("train --resume {here}/nowhere", ["nowhere", "not a training run"]),
    ("train --resume {here}/logless", ["log.jsonl: it is a folder; remove it"]),
    ("train --resume {here}/broken-run", ["broken-run", "no complete checkpoint"]),
    ("train --resume {here}/run --steps 5", ["--resume"]),
    (INFER + " --style 7", ["'7'", "1 bold, 2 slanted"]),
    (INFER + " --style blod", ["did you mean bold"]),
    (INFER + " --size 1", ["--size 1", "8 to 2048"]),
    (INFER + " --missing never", ["never", "skip"]),
    (INFER + " --ink mauvish", ["mauvish", "not a colour"]),
    (INFER + " --source {here}/fake.ttf", ["fake.ttf", "not a font"]),
    ("infer {text} --model {model} -o {here}/out.bmp", ["out.bmp", ".png"]),
    ("infer {text} --model {model} -o {here}", ["folder", "name a file"]),
    ("infer {text} --model {model} -o {here}/plain-file/out.png", ["plain-file", "cannot"]),
    (INFER + " --style " + "9" * 5000, ["no style", "1 bold, 2 slanted"]),
    (INFER + " --vary 1 --seed -1", ["--seed -1", "0 to 2^63"]),
    (INFER + f" --style random --seed {2**64}", ["--seed 184", "0 to 2^63"]),
    (f"sample {TEXT} --model {{model}} --seed {2**64}", ["--seed 184", "0 to 2^63"]),
    (f"morph {TEXT} --model {{model}} --steps {2**62}", ["--steps 1 to 1,000"]),
    (INFER + " --json {here}/plain-file/a.json", ["plain-file", "cannot"]),
    (INFER + " --report {here}/plain-file/a.html", ["plain-file", "cannot"]),
    ("check {here}/hand --font {good} --json {here}/plain-file/a.json", ["plain-file", "cannot"]),
    ("scan {here}/page.png --text {text} -o {here}/plain-file", ["plain-file", "cannot"]),
    ("infer {text} --model {here}/nowhere.safetensors", ["nowhere.safetensors", "no model"]),
    ("infer {text} --model {here}/flipped.safetensors", ["flipped.safetensors", "checksum"]),
    ("infer {text} --model {here}/cut.safetensors", ["cut.safetensors", "damaged"]),
    (
        "export --charset {text} --model {model} -o {here}/f.ttf --family-chinese " + "书" * 300,
        ["--family-chinese", "256"],
    ),
    ("convert {here}/cut.safetensors -o {here}/x.onnx", ["cut.safetensors", "damaged"]),
    ("convert {here}/nowhere.safetensors -o {here}/x.onnx", ["no model", "nowhere"]),
    (
        "export --charset {text} --model {here}/flipped.safetensors -o {here}/f.ttf",
        ["flipped.safetensors", "checksum"],
    ),
    (
        "learn mine --from {here}/hand --model {here}/flipped.safetensors --hands {here}/hands",
        ["flipped.safetensors", "checksum"],
    ),
    ("infer {text} --model {here}/fake.ttf", ["fake.ttf", "not a model"]),
    ("infer {text} --model {here}/old-data", ["best.safetensors", "no model"]),
    ("infer @nosuchtext --model {model} -o {here}/out.png", ["nosuchtext", "lanting"]),
    ("infer @{here}/latin1.txt --model {model} -o {here}/out.png", ["latin1.txt", "UTF-8"]),
    ("evaluate {here}/old-data", ["old-data", "no model"]),
    ("evaluate {here}/run --against nonsense", ["--against", "NAME=MODEL"]),
    ("evaluate {here}/run --count 0", ["--count 0", "1 or more"]),
    ("evaluate {here}/run --source arial", ["arial"]),
    ("evaluate {here}/run --styles brush", ["brush"]),
    ("evaluate {here}/run --json {here}/run", ["cannot write", "directory"]),
    ("evaluate {here}/run --report {here}/run/run.json/r.html", ["cannot write", "directory"]),
    ("train --data {data} --preset zi3zi", ["zi3zi", "zi2zi"]),
    ("train --data {data} --from {here}/nowhere", ["nowhere"]),
    ("train --data {data} --sources arial", ["arial"]),
    ("train --data {data} --set loss.category=1", ["loss.category", "zi2zi"]),
    ("styles --model {here}/flipped.safetensors -o {here}/s.png", ["checksum"]),
    ("paint", ["paint", "--help"]),
    ("infer", ["Missing argument", "--help"]),
    ("infer {text} --colour red", ["--colour", "--help"]),
]


def check(done, words):
    lines = done.stderr.splitlines()
    assert done.returncode == 2, done.stderr
    assert len(lines) == 1 and lines[0].startswith("calligan: "), done.stderr
    for word in words:
        assert word in lines[0], f"{word!r} not in {lines[0]!r}"


@pytest.mark.parametrize(("command", "words"), BAD, ids=[command for command, _ in BAD])
def test_one_line_exit_two_and_nothing_written(calligan, place, command, words):
    before = snapshot(place["here"])
    done = calligan(*[part.format(**place) for part in command.split()], cwd=place["here"])
    check(done, words)
    assert snapshot(place["here"]) == before


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ["text is empty"]),
        (" \n ", ["text is empty"]),
        ("书\udce4", ["not valid Unicode"]),
        ("\x07" + TEXT, ["cannot be drawn"]),
        ("龍", ["lacks: 龍", "--missing"]),
        ((TEXT * 90_000)[:90_000], ["pixels", "less text"]),
        ((TEXT * 100_001)[:100_001], ["100,001 characters", "write parts"]),
        ("书" * 2**23, ["16 MB", "smaller text"]),
    ],
)
def test_texts_that_cannot_be_written(calligan, place, text, words):
    out = place["here"] / "out.png"
    piped = len(text) > 1000
    options = ("--model", place["model"], "--size", 64, "-o", out)
    done = calligan("infer", "-" if piped else text, *options, input=text if piped else "")
    check(done, words)
    assert not out.exists()


def test_standard_input_that_is_not_utf8(place):
    command = [sys.executable, "-m", "calligan", "infer", "-", "--model", place["model"]]
    done = subprocess.run(
        [*command, "-o", place["here"] / "out.png"], input="书法".encode("gbk"), capture_output=True
    )
    assert done.returncode == 2 and b"not UTF-8" in done.stderr and b"Traceback" not in done.stderr


def test_an_existing_picture_stays_when_the_new_one_fails(calligan, place):
    out = place["here"] / "out.png"
    out.write_text("mine")
    check(calligan("infer", "龍", "--model", place["model"], "-o", out), ["龍"])
    assert out.read_text() == "mine"


def test_read_only_output_is_refused(calligan, place, tmp_path):
    """A folder that cannot be written: /proc refuses even root."""
    if not sys.platform.startswith("linux"):
        pytest.skip("needs /proc")
    check(
        calligan("infer", TEXT, "--model", place["model"], "-o", "/proc/out.png"), ["/proc/out.png"]
    )
    done = calligan("render-pairs", place["good"], place["bold"], "--size", 32, "--data", "/proc/d")
    check(done, ["/proc/d", "cannot write"])


@pytest.mark.skipif(sys.platform == "win32", reason="resource limits are POSIX")
def test_a_full_disk_leaves_the_folder_as_it_was(place, tmp_path):
    """A limit on file size stands for a full disk: the write fails half way."""
    out = place["here"] / "new"
    script = (
        "import resource, signal, sys\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))\n"
        f"sys.argv = ['calligan', 'render-pairs', {str(place['good'])!r}, {str(place['bold'])!r},"
        f" '--size', '32', '--charset', {HAN!r}, '--data', {str(out)!r}]\n"
        "from calligan.cli import main, show\n"
        "show.PATIENCE_S = 600\n"  # a slow import is not what this is about
        "if __name__ == '__main__':\n    main()\n"
    )
    path = tmp_path / "limited.py"
    path.write_text(script)
    done = subprocess.run([sys.executable, path], capture_output=True, text=True)
    check(done, ["cannot write", "free some space"])
    assert not [p for p in out.rglob("*") if p.is_file()]


def test_data_changed_after_the_run_began_is_refused(calligan, place):
    path = place["run"] / "run.json"
    about = json.loads(path.read_text())
    path.write_text(json.dumps({**about, "data_hash": "0" * 64}))
    check(calligan("train", "--resume", place["run"]), ["has changed since", "restore"])


def test_checkpoint_of_another_shape_is_refused(calligan, place):
    path = place["run"] / "config.json"
    told = json.loads(path.read_text())
    told["generator"]["widths"] = [8, 24]
    path.write_text(json.dumps(told))
    check(calligan("train", "--resume", place["run"]), ["does not fit"])


def test_random_models_are_refused(calligan, place):
    path = place["here"] / "noise.safetensors"
    path.write_bytes(np.random.default_rng(0).bytes(4000))
    check(calligan("infer", TEXT, "--model", path), ["noise.safetensors"])
