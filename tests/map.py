"""The map of modules in CONTRIBUTING.md, made from their first lines (make map writes it)."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[1]
LIBRARY = ROOT / "src" / "vaelib"
CONTRIBUTING = ROOT / "CONTRIBUTING.md"
BEGIN, END = "<!-- map: written by make map -->\n```\n", "```\n<!-- end of map -->"
# From the door down; those of one line know nothing of each other.
ROOMS = ("book", "build", "study", "measure", "evidence", "training", "vae", "figures", "data")
ROOMS += ("symbolic", "plumbing")


def first_line(file: Path) -> str:
    """Return the first line of a module's docstring."""
    return (ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or "").split("\n")[0]


def lines() -> list[str]:
    """List the modules room by room, each with its first line."""
    found = []
    for file in (LIBRARY / "cli.py", *(path for room in ROOMS for path in walk(LIBRARY / room))):
        *rooms, name = file.relative_to(LIBRARY).with_suffix("").parts
        text = first_line(file)
        if name == "__init__":
            found.append(f"{'/'.join(rooms)}/  {text}".rstrip())
        else:
            found.append(f"{'  ' * bool(rooms)}{name:20} {text}")
    return found


def walk(room: Path) -> list[Path]:
    """List the modules of a room, each folder's own first."""
    return sorted(
        room.rglob("*.py"), key=lambda path: (path.parent, path.name != "__init__.py", path.name)
    )


def main() -> None:
    """Write the map into its place."""
    before, rest = CONTRIBUTING.read_text(encoding="utf-8").split(BEGIN)
    after = rest.split(END)[1]
    text = "".join(f"{line}\n" for line in lines())
    CONTRIBUTING.write_text(f"{before}{BEGIN}{text}{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
