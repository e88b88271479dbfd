"""The house's own rules: what may import what, and how big things may get."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FUNCTIONS = ROOT / "functions"
LIBRARIES = {path.name for path in FUNCTIONS.iterdir() if (path / "__init__.py").exists()}
HANDLERS = {path.stem for path in FUNCTIONS.glob("*.py")} - {"__init__"}

# library -> the libraries it may import
ALLOWED = {
    "domain": set(),
    "runtime": set(),
    "reading": {"domain"},
    "rulebook": {"domain", "reading"},
    "routes": {"domain", "runtime", "store"},
    "store": {"domain", "rulebook", "runtime"},
    "effects": {"domain", "platforms", "rulebook", "runtime", "store"},
    "platforms": {"domain", "runtime"},
    "page": {"domain"},
    "channels": {"domain", "runtime"},
    "evidence": {"domain"},
}


def imported(path: Path) -> Iterator[str]:
    """Yield the full names of the modules and members that a file imports."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{name.name}" for name in node.names)


def ours(path: Path) -> set[str]:
    """The parts of functions/ that a file imports."""
    names = (name.split(".") for name in imported(path))
    return {parts[1] for parts in names if parts[0] == "functions" and len(parts) > 1}


def sources(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*.py") if "node_modules" not in path.parts)


def test_every_library_has_its_directions_written_down() -> None:
    assert ALLOWED.keys() == LIBRARIES


@pytest.mark.parametrize("library", sorted(ALLOWED))
def test_a_library_imports_only_what_lies_below_it(library: str) -> None:
    for path in sources(FUNCTIONS / library):
        assert ours(path) <= ALLOWED[library] | {library}, path


def test_handlers_meet_through_queues_streams_and_topics_only() -> None:
    for name in HANDLERS:
        assert not ours(FUNCTIONS / f"{name}.py") & HANDLERS, name


def test_what_decides_does_so_by_the_rules_in_force_not_by_the_bundled_ones() -> None:
    handlers = [FUNCTIONS / f"{name}.py" for name in HANDLERS]
    for path in (*handlers, *sources(FUNCTIONS / "effects"), *sources(FUNCTIONS / "routes")):
        assert not set(imported(path)) & {"functions.rulebook", "functions.rulebook.load"}, path


def test_the_domain_is_pure() -> None:
    impure = {
        "boto3",
        "botocore",
        "os",
        "time",
        "random",
        "uuid",
        "socket",
        "urllib3",
        "aws_lambda_powertools",
    }
    for path in sources(FUNCTIONS / "domain"):
        roots = {name.split(".")[0] for name in imported(path)}
        assert not roots & impure, path
        text = path.read_text(encoding="utf-8")
        assert ".now(" not in text, f"{path} asks the clock"


def test_functions_know_nothing_of_infra_nor_constructs_of_functions() -> None:
    for path in sources(FUNCTIONS):
        assert not any(name.split(".")[0] == "infra" for name in imported(path)), path
    for path in sources(ROOT / "infra" / "constructs"):
        assert not ours(path), path


@pytest.mark.parametrize("folder", ["functions", "infra"])
def test_files_stay_small(folder: str) -> None:
    for path in sources(ROOT / folder):
        lines = len(path.read_text(encoding="utf-8").splitlines())
        assert lines <= 330, f"{path} has {lines} lines; split it by reason"


def test_every_module_says_what_it_is() -> None:
    for folder in ("functions", "infra"):
        for path in sources(ROOT / folder):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            assert not tree.body or ast.get_docstring(tree), path


def test_every_handler_tells_its_trigger() -> None:
    for name in HANDLERS:
        docstring = ast.get_docstring(ast.parse((FUNCTIONS / f"{name}.py").read_text(encoding="utf-8"))) or ""
        assert "Trigger" in docstring or "HTTP" in docstring, name
