"""Read a file of named entries that people write, such as ``notebooks.yml`` and ``claims.yml``."""

from collections.abc import Iterable
from pathlib import Path

import yaml

from vaelib.plumbing.checks import require


class _Loader(yaml.SafeLoader):
    """Refuses a key that stands twice, of which YAML would silently take the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        seen = set()
        for key, _ in node.value:
            if key.value in seen:
                line = key.start_mark.line + 1
                raise ValueError(f"line {line}: {key.value!r} stands twice; expected once")
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def read_entries(
    file: Path, required: Iterable[str], optional: Iterable[str] = ()
) -> dict[str, dict]:
    """Read a file of entries, each a mapping under a name.

    Args:
        file: YAML.
        required: keys that every entry has.
        optional: further keys that it may have.

    Returns:
        Name → entry, in the order of the file.

    Raises:
        ValueError: the file has no entries, or an entry or key is missing, twice there or not
            known; the message names the file, the entry and the key.
    """
    try:
        entries = yaml.load(file.read_text(encoding="utf-8"), _Loader)
        if not isinstance(entries, dict) or not entries:
            raise ValueError(f"it holds {_kind(entries)}; expected entries, each under its name")
        for name, entry in entries.items():
            require_keys(str(name), entry, required, optional)
    except (ValueError, yaml.YAMLError) as error:
        raise ValueError(f"{file}: {' '.join(str(error).split())}") from error
    return entries


def require_keys(
    name: str, entry: object, required: Iterable[str], optional: Iterable[str] = ()
) -> None:
    """Check that an entry is a mapping with all required keys, and none that is not known.

    Raises:
        ValueError: it is not; the message names the entry and the key.
    """
    if not isinstance(entry, dict):
        raise ValueError(f"{name} is {_kind(entry)}; expected a mapping of keys to values")
    for key in entry:
        require(f"a key of {name}", key, [*required, *optional])
    missing = [key for key in required if entry.get(key) is None]
    if missing:
        raise ValueError(f"{name} has no {missing[0]}; expected {', '.join(required)}")


def _kind(value: object) -> str:
    return "nothing" if value is None else f"{value!r:.60}"
