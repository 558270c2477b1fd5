"""An executed notebook as a page of the book."""


def as_page(notebook: dict, title: str) -> dict:
    """Give an executed notebook its title, and strip what is not for readers.

    Args:
        notebook: as papermill returns it; its first cell begins with a heading.
        title: of the page.

    Raises:
        ValueError: there is no heading to replace.
    """
    heading, *rest = notebook["cells"][0]["source"].split("\n")
    if not heading.startswith("# "):
        raise ValueError(f"the first cell of a template is a heading; received {heading!r}")
    notebook["cells"][0]["source"] = "\n".join([f"# {title}", *rest])
    for position, cell in enumerate(notebook["cells"]):
        cell["metadata"] = kept(cell["metadata"])
        cell["id"] = f"cell-{position}"  # papermill's are random
    notebook["metadata"] = {
        "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
        "language_info": {"name": "python"},
        "myst": {"html_meta": {"description": f"Executed notebook. {title.replace('`', '')}."}},
    }
    return notebook


def kept(metadata: dict) -> dict:
    """Keep what a page needs of a cell's metadata: its tags, and the caption of its figure."""
    return {key: metadata[key] for key in ("tags", "mystnb") if metadata.get(key)}
