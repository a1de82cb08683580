"""Write docs/coverage.md: which test proves which promise. `--check` only says whether it is up to date."""

import argparse
import ast
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "docs" / "coverage.toml"
PAGE = ROOT / "docs" / "coverage.md"


def render() -> str:
    rows = tomllib.loads(SOURCE.read_text())
    proven = sum(bool(row["proof"]) for row in rows.values())
    lines = [
        "# Coverage",
        "",
        f"Every promise of the product, and the test that proves it: {proven} of {len(rows)} so far. Written by",
        "`make coverage-doc` from `docs/coverage.toml`.",
        "",
        "| row | promise | proven by |",
        "| --- | --- | --- |",
    ]
    lines += [f"| {name} | {row['feature']} | {_proof(row['proof'])} |" for name, row in rows.items()]
    return "\n".join(lines) + "\n"


def missing_tests() -> list[str]:
    """Tests that the table names and no file holds."""
    known = set(_tests())
    rows = tomllib.loads(SOURCE.read_text())
    return sorted({proof for row in rows.values() for proof in row["proof"]} - known)


def _tests() -> Iterator[str]:
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name.startswith("test_"):
                yield f"{path.relative_to(ROOT).as_posix()}::{node.name}"


def _proof(tests: list[str]) -> str:
    return "<br>".join(f"`{test.removeprefix('tests/')}`" for test in tests) or "not yet"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    if parser.parse_args().check:
        return 0 if PAGE.exists() and PAGE.read_text() == render() and not missing_tests() else 1
    PAGE.write_text(render())
    return 0


if __name__ == "__main__":
    sys.exit(main())
