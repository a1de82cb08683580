"""A client made from docs/openapi.json, judged by the strict TypeScript compiler."""

import subprocess
from pathlib import Path

from tests.support.commands import needed

FOLDER = Path(__file__).parents[2] / "tools" / "typescript-check"
REMEDY = "apt-get install nodejs npm"


def test_a_client_made_from_the_document_passes_the_strict_type_check() -> None:
    npm = needed("npm", remedy=REMEDY)
    for order in ([npm, "ci", "--prefer-offline"], [npm, "run", "check"]):
        done = subprocess.run(order, cwd=FOLDER, capture_output=True, text=True, timeout=240, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
