"""The house keeps its shape: imports run downward, every setting is read, the map is true."""

import ast
import dataclasses
import re
from pathlib import Path

import pytest

from calligan import config
from calligan.training.objectives import OBJECTIVES

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "calligan"
FLOORS = [
    {"errors", "limits", "interrupts", "__init__"},
    {"described", "escape", "reading"},
    {"progress", "requests", "pictures"},
    {"storage", "workers", "resources"},
    {"apart", "folder_update"},
    {"config"},
    {"settings"},
    {"glyphs", "models"},
    {"vector"},
    {"page"},
    {"pairs", "scan"},
    {"project"},
    {"reader"},
    {"training", "inference"},
    {"evaluation"},
    {"library"},
    {"studio"},
    {"cli"},
    {"__main__"},
]
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
MODULES = sorted(PACKAGE.rglob("*.py"))


def room_of(path: Path) -> str:
    first = path.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


def imported_rooms(path: Path) -> set[str]:
    rooms = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "calligan":
            parts = node.module.split(".")
            rooms |= {parts[1]} if len(parts) > 1 else {alias.name for alias in node.names}
    return {room if room in FLOOR else "__init__" for room in rooms}


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_run_downward(path):
    if path == PACKAGE / "__init__.py":
        return  # the front door names what lies above; it loads nothing before it is used
    here = room_of(path)
    for room in imported_rooms(path) - {here}:
        assert FLOOR[room] < FLOOR[here], f"{path.name} in {here} imports {room}"


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_only_the_command_line_prints(path):
    if room_of(path) == "cli":
        return
    tree = ast.parse(path.read_text(encoding="utf-8"))
    calls = {n.func.id for n in ast.walk(tree) if isinstance(n, ast.Call) and hasattr(n.func, "id")}
    assert not calls & {"print", "input", "exit"}


def test_the_command_line_stays_thin():
    """Commands parse, call the library and print."""
    paths = list((PACKAGE / "cli").glob("*.py"))
    assert sum(len(path.read_text(encoding="utf-8").splitlines()) for path in paths) <= 1000
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                assert node.end_lineno - node.lineno < 60, f"{path.name}: {node.name} is long"


@pytest.mark.parametrize("room", ["config", "glyphs", "page", "vector", "scan", "pairs", "project"])
def test_rooms_without_torch(room):
    for path in (PACKAGE / room).glob("*.py"):
        assert not re.search(r"^\s*(import|from) torch", path.read_text(encoding="utf-8"), re.M)


def test_every_setting_is_read_somewhere():
    text = "".join(
        path.read_text(encoding="utf-8") for path in MODULES if room_of(path) != "config"
    )
    text = text.replace("re.compile(", "")
    kinds = [k for k in vars(config).values() if dataclasses.is_dataclass(k)]
    assert len(kinds) >= 7
    for kind in kinds:
        for field in dataclasses.fields(kind):
            assert re.search(rf"\.{field.name}\b", text), (
                f"{kind.__name__}.{field.name} is never read"
            )


def test_the_declared_objectives_are_the_implemented_ones():
    assert set(config.OBJECTIVE_RULES) == set(OBJECTIVES)


def test_the_map_has_every_module():
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^\s+([\w/]+\.py)\s", page, re.M))
    actual = {str(p.relative_to(PACKAGE)) for p in MODULES if p.name not in ("__init__.py",)}
    assert listed == actual
