"""The PDF: what TeX it needs, and its place on the site."""

import shutil
import subprocess
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.errors import ExtensionError

from vaelib.plumbing.files import sha256, write_bytes
from vaelib.plumbing.places import EXECUTED

PDF = "report.pdf"
PAGES = "pages.sha256"  # beside it: what it was made of
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
    app.connect("config-inited", note_pdf, priority=870)  # after the runs are made
    app.connect("builder-inited", begin_pdf)
    app.connect("html-page-context", offer_pdf, priority=503)  # after the theme's buttons
    app.connect("build-finished", copy_pdf)


def note_pdf(app: Sphinx, config: Config) -> None:
    """Note whether there is a PDF; pages are written again when that changes."""
    config["report_pdf"] = pdf_of_this_book(app) is not None


def missing_tex() -> str | None:
    """Say which Debian packages the PDF needs that are not installed; None if all are."""
    missing = [package for program, package in PROGRAMS.items() if not shutil.which(program)]
    finder = shutil.which("kpsewhich")
    for file, package in TEX_FILES.items():
        if not finder or subprocess.run([finder, file], capture_output=True).returncode:
            missing.append(package)
    if not missing:
        return None
    return (
        f"the PDF needs Debian packages that are not installed: {' '.join(missing)}; "
        "install them with apt-get install --no-install-recommends"
    )


def begin_pdf(app: Sphinx) -> None:
    """Stop before anything is written if the PDF cannot be made here; note what it is made of."""
    if app.builder.format == "latex":
        if message := missing_tex():
            raise ExtensionError(message)
        (Path(app.outdir) / PDF).unlink(missing_ok=True)
        write_bytes(pages_of(Path(app.srcdir)).encode(), Path(app.outdir) / PAGES)


def pdf_of_this_book(app: Sphinx) -> Path | None:
    """Return the PDF, unless there is none, it is cut off, or was made of other pages or runs."""
    pdf = Path(app.srcdir, "_build", "latex", PDF)
    made_of = pdf.with_name(PAGES)
    if is_whole(pdf) and made_of.exists() and made_of.read_text() == pages_of(Path(app.srcdir)):
        return pdf
    return None


def pages_of(book: Path) -> str:
    """Name the pages and notebooks of a book with their SHA-256."""
    pages = [*book.glob("*.md"), *book.glob("*/*.md"), *book.glob(f"{EXECUTED}/*/notebook.ipynb")]
    return "".join(f"{sha256(page)}  {page.relative_to(book)}\n" for page in sorted(pages))


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
    if app.config["report_pdf"] and (made := pdf_of_this_book(app)):
        shutil.copyfile(made, Path(app.outdir) / "_static" / PDF)
    else:
        (Path(app.outdir) / "_static" / PDF).unlink(missing_ok=True)
        print("make pdf gives the report as PDF, and puts it into this site")
