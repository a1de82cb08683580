"""What Temporal's sandbox loads anew for every run stays lean: a template's module, and nothing it imports."""

import ast
import sys
from pathlib import Path

import pytest

import workflows

FOLDER = Path(workflows.__file__).parent
LOADED_FOR_EVERY_RUN = sorted([*FOLDER.glob("templates/*.py"), FOLDER / "after_run.py"])


@pytest.mark.parametrize("file", LOADED_FOR_EVERY_RUN, ids=lambda file: file.stem)
def test_what_a_workflow_module_imports_of_ours_is_passed_through(file: Path) -> None:
    """Otherwise engine and domain are rebuilt for each run, which doubled the cost of a workflow task."""
    named = {name for node in ast.parse(file.read_text()).body for name in _imported(node)}
    ours = {name for name in named if name.partition(".")[0] not in sys.stdlib_module_names | {"temporalio"}}
    assert ours == set()


def _imported(node: ast.stmt) -> list[str]:
    """Only statements of the module itself: those inside `with imports_passed_through()` are what we want."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module or ""] if isinstance(node, ast.ImportFrom) else []
