"""Draw docs/img/demo.svg: what `make demo` says, with the run's JSON left out."""

import io
import re
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).parent.parent
PICTURE = ROOT / "docs" / "img" / "demo.svg"
_JSON = re.compile(r"^\{\n.*?^\}\n", re.MULTILINE | re.DOTALL)
_FONT = re.compile(r"\s*@font-face \{.*?\}", re.DOTALL)
_KEY = re.compile(r"bchn_[\w-]+")
_STYLES = {
    r"succeeded|both signatures hold": "bold green",
    r"\brunning\b": "yellow",
    r"https?://\S+|\S+\.(?:jpeg|mp4)": "cyan",
    r"^\$ .*": "bold",
}


def draw(said: str) -> str:
    shown = _KEY.sub("bchn_…", _JSON.sub("{ … the whole run as JSON … }\n", said))
    text = Text(f"$ make demo\n{shown}".rstrip())
    for pattern, style in _STYLES.items():
        text.highlight_regex(re.compile(pattern, re.MULTILINE), style)
    console = Console(record=True, width=112, file=io.StringIO())
    console.print(text)
    svg = console.export_svg(title="BabyChain on Temporal", unique_id="demo")
    # Rich asks a public server for its font; a reader's own will do, and nobody is told who reads.
    return _FONT.sub("", svg)


def main() -> int:
    command = [sys.executable, "-m", "cli", "demo"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603
    if ended.returncode:
        sys.stderr.write(ended.stdout + ended.stderr)
        return ended.returncode
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.write_text(draw(ended.stdout))
    return 0


if __name__ == "__main__":
    sys.exit(main())
