"""The hosting page speaks of every host, and of nothing that is not there."""

import re
from pathlib import Path

import pytest

from cli.main import app
from tests.unit.cli.test_deployment_files import ROOT, example_names

PAGE = (ROOT / "docs" / "hosting.md").read_text()


@pytest.mark.parametrize("host", ["Cloudflare", "DigitalOcean", "Heroku", "Netlify", "Railway", "Render", "Vercel"])
def test_each_host_has_its_row_for_api_worker_and_what_else_to_know(host: str) -> None:
    [row] = [line for line in PAGE.splitlines() if line.startswith(f"| {host} |")]
    assert all(cell.strip() for cell in row.strip("|").split("|"))
    assert row.count("|") == 5


def test_every_command_setting_and_file_that_the_page_names_is_there() -> None:
    commands = re.findall(r"`python -m cli ([a-z ]+)", PAGE)
    assert commands
    for words in commands:
        app.parse_args(words.split(), exit_on_error=False)
    named = set(re.findall(r"`((?:BABYCHAIN|TEMPORAL)_[A-Z_]+)`", PAGE))
    assert named
    assert named <= example_names()
    for file in re.findall(r"`(docker-compose[a-z.]+)`|\]\((\w+\.md)\)", PAGE):
        assert any(Path(ROOT, folder, name).exists() for name in filter(None, file) for folder in ("", "docs"))
