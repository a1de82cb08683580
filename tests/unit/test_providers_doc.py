"""The page about providers names every one and all its models, and calls nothing verified without a transcript."""

import json
import re
from pathlib import Path

import pytest

import providers

DOCS = Path(__file__).parent.parent.parent / "docs"
TRANSCRIPTS = DOCS / "transcripts"
HOW_SURE = re.compile(r"documented|inferred|verified (\d{4}-\d\d-\d\d)")
MODULES = providers.modules()


def sections(page: str) -> dict[str, str]:
    """What is said of each provider, by its name."""
    parts = re.split(r"^## (\w+): .*$", page, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def facts(section: str) -> list[list[str]]:
    """Fact, what we rely on, and how sure we are of it."""
    rows = [line.strip("|").split(" | ") for line in section.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in row] for row in rows[2:]]


def unproven(page: str, transcripts: Path) -> list[str]:
    """Facts that are called verified, and no transcript of that day tells of a job of that provider that succeeded."""
    found = []
    for name, section in sections(page).items():
        for fact, _, sure in facts(section):
            if verified := re.match(r"verified (\S+)", sure):
                file = transcripts / f"{verified[1]}.json"
                told = json.loads(file.read_text())["providers"] if file.exists() else {}
                if told.get(name, {}).get("outcome") != "succeeded":
                    found.append(f"{name}: {fact}")
    return found


PAGE = (DOCS / "providers.md").read_text()


@pytest.mark.parametrize("name", [module.NAME for module in MODULES])
def test_every_provider_of_the_folder_has_its_section(name: str) -> None:
    known = {fact for fact, _, _ in facts(sections(PAGE)[name])}
    assert {"base URL", "key", "cancel", "limits", "a result lives", "price", "webhook"} <= {
        fact.partition(",")[0] for fact in known
    }


@pytest.mark.parametrize("model", sorted({model for module in MODULES for model in module.MODELS}))
def test_every_model_of_the_folder_is_named(model: str) -> None:
    assert f"`{model}`" in PAGE, f"say in docs/providers.md how sure we are of {model}"


def test_every_fact_says_how_sure_we_are_of_it() -> None:
    told = [(name, *row) for name, section in sections(PAGE).items() for row in facts(section)]
    assert len(told) > 50
    assert [row for row in told if len(row) != 4 or not HOW_SURE.fullmatch(row[-1])] == []


def test_nothing_is_called_verified_without_its_transcript() -> None:
    assert unproven(PAGE, TRANSCRIPTS) == []


def test_a_transcript_proves_only_the_day_and_the_provider_it_tells_of(tmp_path: Path) -> None:
    head = "| fact | what we rely on | how sure |\n| --- | --- | --- |\n"
    section = f"\n\n{head}| key | x | verified 2026-11-21 |\n\n"
    page = f"## bfl: B{section}## bach: B{section}"
    assert unproven(page, tmp_path) == ["bfl: key", "bach: key"]
    told = {"bfl": {"outcome": "succeeded"}, "bach": {"outcome": "provider_failed"}}
    (tmp_path / "2026-11-21.json").write_text(json.dumps({"providers": told}))
    assert unproven(page, tmp_path) == ["bach: key"]
    assert unproven(page.replace("11-21", "11-22"), tmp_path) == ["bfl: key", "bach: key"]
