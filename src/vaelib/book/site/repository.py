"""What needs the repository's public address: where to read it, source, Binder, Colab, cards.

The address is one setting, ``repository_address`` under ``sphinx: config:`` in ``_config.yml``.
Without it nothing of this is there. The site is that of GitHub Pages.
"""

from pathlib import Path

from sphinx.application import Sphinx
from sphinx.config import Config

from vaelib.build.notebooks import read_notebooks
from vaelib.plumbing import stale
from vaelib.plumbing.places import EXECUTED
from vaelib.training.recipes import recipe_from_environment


def setup(app: Sphinx) -> None:
    """Register the setting and connect to Sphinx."""
    app.add_config_value("repository_address", "", "html", str)
    app.connect("config-inited", add_links, priority=860)
    app.connect("html-page-context", link_templates, priority=502)  # after the theme's buttons


def add_links(app: Sphinx, config: Config) -> None:
    """Turn the theme's links on and name the site if there is an address; turn them off if not."""
    address = config["repository_address"].rstrip("/")
    options = config["html_theme_options"]
    if address:
        owner, name = address.split("/")[-2:]
        site = f"https://{owner.lower()}.github.io/{name}/"
        config["html_baseurl"] = config["ogp_site_url"] = site
        config["ogp_image"] = f"{site}readme.png"
        options["extra_footer"] = f'This report is published at <a href="{site}">{site}</a>.'
        config["latex_elements"]["preamble"] += f"\\newcommand{{\\reportsite}}{{{site}}}\n"
        app.setup_extension("sphinxext.opengraph")  # cards for those who share a link
    options.update(
        repository_url=address,
        repository_branch="main",
        path_to_docs="book",
        use_repository_button=bool(address),
        use_source_button=bool(address),
        use_issues_button=bool(address),
        launch_buttons={
            "notebook_interface": "jupyterlab",
            "binderhub_url": "https://mybinder.org",
            "colab_url": "https://colab.research.google.com",
        }
        if address
        else {},
    )


def link_templates(app: Sphinx, pagename: str, template: str, context: dict, doctree) -> None:
    """Let the links of an executed notebook, which is generated, lead to its template."""
    if not (app.config["repository_address"] and pagename.startswith(f"{EXECUTED}/")):
        return
    known = read_notebooks(Path(app.srcdir), recipe_from_environment())
    file = known[pagename.split("/")[1]].template.relative_to(stale.PACKAGE.parents[1])
    _replace(context["header_buttons"], f"book/{pagename}.ipynb", file.as_posix())


def _replace(buttons: list[dict], old: str, new: str) -> None:
    for button in buttons:
        if "url" in button:
            button["url"] = button["url"].replace(old, new)
        _replace(button.get("buttons", []), old, new)
