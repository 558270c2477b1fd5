"""The report in print: what LaTeX needs that the site does not, and the PDF on the site."""

import shutil
import subprocess
from pathlib import Path

from docutils import nodes
from sphinx.addnodes import start_of_file
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.environment import BuildEnvironment
from sphinx.errors import ExtensionError

from vaelib.plumbing.places import RUNS

PDF = "report.pdf"
RUN_IMAGE_WIDTH = "60%"  # the chapters have the same figures in full size
SQUARE_IMAGE_WIDTH = "70%"  # so that the decoded plane and the latent codes share a page
SHORT = 20  # lines of a cell that is not broken over two pages
SQUARE_IMAGES = ("decoded", "latent")
# What is looked for → the Debian package that has it.
PROGRAMS = {"latexmk": "latexmk", "xelatex": "texlive-xetex"}
TEX_FILES = {
    "mathrsfs.sty": "texlive-latex-recommended",
    "texgyretermes-math.otf": "fonts-texgyre-math",
    "FreeSerif.otf": "fonts-freefont-otf",
    "DejaVuSansMono.ttf": "fonts-dejavu-core",
}


def setup(app: Sphinx) -> None:
    """Connect to Sphinx."""
    app.add_config_value("report_pdf", False, "html", bool)
    app.connect("config-inited", share_macros)
    app.connect("config-inited", note_pdf, priority=870)  # after the runs are made
    app.connect("builder-inited", require_tex)
    app.connect("env-get-updated", number_as_on_site, priority=900)  # after Sphinx has counted
    app.connect("doctree-resolved", adapt_to_print)
    app.connect("html-page-context", offer_pdf, priority=503)  # after the theme's buttons
    app.connect("build-finished", copy_pdf)


def share_macros(app: Sphinx, config: Config) -> None:
    """Give LaTeX the macros of the site's mathematics, so that they are written once."""
    macros = config["mathjax3_config"]["tex"]["macros"]
    config["latex_elements"]["preamble"] += "".join(
        f"\\providecommand{{\\{name}}}{{}}\\renewcommand{{\\{name}}}{{{text}}}\n"
        for name, text in macros.items()
    )


def note_pdf(app: Sphinx, config: Config) -> None:
    """Note whether there is a PDF; pages are written again when that changes."""
    config["report_pdf"] = pdf_of_this_book(app) is not None


def number_as_on_site(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Number theorems by chapter, as the site does; for LaTeX they come numbered by section."""
    if app.builder.format != "latex":
        return []
    for numbers in env.toc_fignumbers.values():
        for kind, by_id in numbers.items():
            if kind not in ("figure", "table", "code-block"):
                numbers[kind] = {
                    id: (number[0], count)
                    for count, (id, number) in enumerate(by_id.items(), start=1)
                }
    return []


def adapt_to_print(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Turn the pages of the site into the chapters of a report, in LaTeX only."""
    if app.builder.format != "latex":
        return
    pages = {page["docname"]: page for page in doctree.findall(start_of_file)}
    runs = [page for name, page in pages.items() if name.startswith(f"{RUNS}/")]
    _insert(doctree, r"\chapter*{What this is}\markboth{What this is}{What this is}")
    unwrap_proofs(doctree)
    leave_out_progress(doctree)
    give_bibliography_its_number(pages["references"])
    # The contents list the chapters of what follows, not their sections.
    _insert(pages["api"], r"\addtocontents{toc}{\protect\setcounter{tocdepth}{0}}")
    _insert(runs[0], r"\small\fvset{fontsize=\scriptsize}")
    keep_cells_together(doctree, runs)
    size_images(doctree, runs)


def unwrap_proofs(doctree: nodes.document) -> None:
    """Take proofs out of their boxes, whose coloured bar would be empty."""
    for proof in list(doctree.findall(nodes.admonition)):
        if "proof" in proof["classes"] and not proof.next_node(nodes.title):
            proof.replace_self(proof.children)


def leave_out_progress(doctree: nodes.document) -> None:
    """Leave out the outputs of cells that show the progress of a training."""
    for cell in [c for c in doctree.findall(nodes.container) if "tag_progress" in c["classes"]]:
        for part in list(cell.children):
            if "cell_output" in part["classes"]:
                cell.remove(part)


def give_bibliography_its_number(page: start_of_file) -> None:
    """Count the chapter of references, which in print stands at the end under its own title.

    So the numbers that follow are the site's.
    """
    references = page.next_node(nodes.section)
    references.replace(references[0], nodes.raw("", r"\stepcounter{chapter}", format="latex"))


def keep_cells_together(doctree: nodes.document, runs: list[start_of_file]) -> None:
    """Break no page between the code of a short cell and what it prints, but in the runs."""
    in_runs = {id(cell) for run in runs for cell in run.findall(nodes.container)}
    for cell in list(doctree.findall(nodes.container)):
        if "cell" in cell["classes"] and id(cell) not in in_runs:
            _keep_together(cell)


def size_images(doctree: nodes.document, runs: list[start_of_file]) -> None:
    """Make square images, and all images of the runs, smaller than the page is wide."""
    for image in doctree.findall(nodes.image):
        if Path(image["uri"]).stem in SQUARE_IMAGES:
            image["width"] = SQUARE_IMAGE_WIDTH
    for run in runs:
        for image in run.findall(nodes.image):
            image["width"] = RUN_IMAGE_WIDTH


def _keep_together(cell: nodes.container) -> None:
    """Ask for the room that a short cell needs."""
    lines = sum(len(block.astext().splitlines()) for block in cell.findall(nodes.literal_block))
    if lines <= SHORT:
        room = f"\\needspace{{{lines + 8}\\baselineskip}}"  # with the space around them
        cell.insert(0, nodes.raw("", room, format="latex"))


def _insert(page: nodes.Element, latex: str) -> None:
    """Insert LaTeX after the title of a page."""
    page.next_node(nodes.section).insert(1, nodes.raw("", latex, format="latex"))


def missing_tex() -> str | None:
    """Say which Debian packages the PDF needs that are not installed; None if all are."""
    missing = [package for program, package in PROGRAMS.items() if not shutil.which(program)]
    for file, package in TEX_FILES.items():
        if (
            not shutil.which("kpsewhich")
            or subprocess.run(["kpsewhich", file], capture_output=True).returncode
        ):
            missing.append(package)
    if not missing:
        return None
    return (
        f"the PDF needs Debian packages that are not installed: {' '.join(missing)}; "
        "install them with apt-get install --no-install-recommends"
    )


def require_tex(app: Sphinx) -> None:
    """Stop before anything is written if the PDF cannot be made here."""
    if app.builder.format == "latex" and (message := missing_tex()):
        raise ExtensionError(message)


def pdf_of_this_book(app: Sphinx) -> Path | None:
    """Return the PDF, unless there is none, it is cut off, or a page or a run is newer."""
    book = Path(app.srcdir)
    pdf = book / "_build" / "latex" / PDF
    pages = [*book.glob("*.md"), *book.glob("*/*.md"), *book.glob(f"{RUNS}/*/notebook.ipynb")]
    if is_whole(pdf) and all(page.stat().st_mtime <= pdf.stat().st_mtime for page in pages):
        return pdf
    return None


def is_whole(pdf: Path) -> bool:
    """Tell whether a PDF is there with its last line, which is written last."""
    return pdf.exists() and pdf.read_bytes()[-16:].rstrip().endswith(b"%%EOF")


def offer_pdf(app: Sphinx, pagename: str, template: str, context: dict, doctree) -> None:
    """Add the report to the page's downloads."""
    if not app.config["report_pdf"]:
        return
    for group in context["header_buttons"]:
        if group["label"] == "download-buttons":
            # Of a single page the browser's own menu makes a PDF.
            group["buttons"] = [b for b in group["buttons"] if b["type"] != "javascript"]
            group["buttons"].append(
                {
                    "type": "link",
                    "url": f"{context['pathto']('_static', 1)}/{PDF}",
                    "text": "the report as PDF",
                    "tooltip": "Download the whole report as PDF",
                    "icon": "fas fa-file-pdf",
                    "label": "download-report-button",
                }
            )


def copy_pdf(app: Sphinx, error: Exception | None) -> None:
    """Put the PDF into the site, or say how to get it."""
    if error or app.builder.format != "html":
        return
    if app.config["report_pdf"]:
        shutil.copyfile(pdf_of_this_book(app), Path(app.outdir) / "_static" / PDF)
    else:
        (Path(app.outdir) / "_static" / PDF).unlink(missing_ok=True)
        print("make pdf gives the report as PDF, and puts it into this site")
