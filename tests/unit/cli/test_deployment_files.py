"""Names in the files that people copy are the names that the code reads."""

import re
from pathlib import Path

import providers
from settings import Settings

ROOT = Path(__file__).parents[3]
COMPOSE = (ROOT / "docker-compose.temporal.yml").read_text()
READ_BY_OTHERS = {"POSTGRES_PASSWORD", "TEMPORAL_ADDRESS", "TEMPORAL_NAMESPACE", "TEMPORAL_API_KEY"}
SETTINGS = {"REDIS_URL" if name == "redis_url" else f"BABYCHAIN_{name.upper()}" for name in Settings.model_fields}
KEYS = {module.KEY_NAME for module in providers.modules()}


def example_names() -> set[str]:
    return set(re.findall(r"^#?([A-Z][A-Z0-9_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))


def test_the_example_offers_every_setting_and_every_provider() -> None:
    assert example_names() >= SETTINGS | KEYS


def test_the_example_offers_nothing_that_nobody_reads() -> None:
    folders = [*(ROOT / "cli").glob("*.py"), *(ROOT / "sandbox").glob("*.py"), *(ROOT / "providers").rglob("*.py")]
    sources = [*folders, ROOT / "telemetry.py"]
    read = set(re.findall(r'"([A-Z][A-Z0-9_]+)"', "\n".join(source.read_text() for source in sources)))
    assert example_names() <= SETTINGS | KEYS | READ_BY_OTHERS | read


def test_the_operating_page_explains_every_setting() -> None:
    page = (ROOT / "docs" / "operating.md").read_text()
    assert {name for name in SETTINGS if f"`{name}`" not in page} == set()


def test_images_are_pinned_and_ports_are_bound_to_this_machine() -> None:
    images = re.findall(r"image: (\S+)", COMPOSE)
    assert images
    assert [image for image in images if not re.search(r":\d+\.\d+", image)] == []
    assert "auto-setup" not in COMPOSE
    published = re.findall(r"ports: \[(.*)\]", COMPOSE)
    assert len(published) == 3
    assert all(port.startswith('"127.0.0.1:') for line in published for port in line.split(", "))


def test_every_variable_of_the_compose_file_is_in_the_example() -> None:
    assert set(re.findall(r"(?<!\$)\$\{([A-Z_]+)", COMPOSE)) <= example_names()
