"""JSON fixtures in the layout that the repository's formatter wants."""

import json
import re
import textwrap
from pathlib import Path

WIDTH = 100


def write(path: Path, value: dict) -> None:
    path.write_text(text(value) + "\n", encoding="utf-8")
    print(f"{path.name}: {path.stat().st_size:,} bytes")


def text(value, indent: str = "", before: int = 0) -> str:
    """`before` is how much of the line is taken by the key."""
    if not isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False)
    inner = indent + "  "
    if isinstance(value, dict):
        keys = [f"{json.dumps(key, ensure_ascii=False)}: " for key in value]
        items = [key + text(item, inner, len(key)) for key, item in zip(keys, value.values())]
        return f"{{\n{inner}" + f",\n{inner}".join(items) + f"\n{indent}}}"
    line = json.dumps(value, ensure_ascii=False)
    numbers = all(isinstance(item, (int, float)) for item in value)
    if numbers:
        line = re.sub(r"e([+-])0(\d)", r"e\1\2", line)
    if len(indent) + before + len(line) < WIDTH:
        return line
    if numbers:
        filled = textwrap.fill(
            line[1:-1], WIDTH, initial_indent=inner, subsequent_indent=inner, break_on_hyphens=False
        )
        return f"[\n{filled}\n{indent}]"
    return f"[\n{inner}" + f",\n{inner}".join(text(item, inner) for item in value) + f"\n{indent}]"
