"""The explorer as a reader meets it, on the real book: right numbers, soon, for every reader."""

import gzip
import statistics
import time
from base64 import b64decode

import numpy as np
import pytest
import torch
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect
from scipy import ndimage

from vaelib.data.load import load_data
from vaelib.evidence.likelihood import assumed
from vaelib.evidence.odds import ProportionalOdds
from vaelib.evidence.quadrature import integrate
from vaelib.evidence.sampling import log_joint
from vaelib.figures.evidence import mass_levels
from vaelib.plumbing.files import read_json
from vaelib.training import folder
from vaelib.training.run import model_of
from vaelib.training.settings import Settings
from vaelib.vae.model import VAE

from .conftest import HTML
from .test_site_in_a_browser import RULES

ADDRESS = f"{HTML.as_uri()}/beyond/explorer.html"
RUNS = ("bce-elbo", "mse-elbo", "odds")
RECORD = HTML.parents[1] / "recorded/records" / f"{Settings('odds', 1.0).name}.json"
PART = "document.querySelector('.explorer')"
EXPLORER = f"{PART}.explorer"
IMAGES = 100
PRODUCTS = 0.3  # seconds that 10⁸ of them take on the machine for which the limits were set
# Strokes in units of the canvas's side, from (0, 0) at the top left to (1, 1).
DRAWINGS = {
    "an open 4": [[(0.3, 0.2), (0.25, 0.5), (0.7, 0.52)], [(0.65, 0.2), (0.62, 0.85)]],
    "a cross": [[(0.2, 0.2), (0.8, 0.8)], [(0.8, 0.2), (0.2, 0.8)]],
    "a 1": [[(0.5, 0.15), (0.5, 0.85)]],
    "a 7": [[(0.25, 0.2), (0.75, 0.2), (0.45, 0.85)]],
    "a 0": [[(0.5 + 0.2 * np.cos(t), 0.5 + 0.3 * np.sin(t)) for t in np.linspace(0, 6.3, 30)]],
    "a 3": [[(0.3, 0.2), (0.7, 0.3), (0.45, 0.47), (0.7, 0.65), (0.3, 0.8)]],
    "a 2": [[(0.3, 0.3), (0.5, 0.18), (0.68, 0.32), (0.3, 0.8), (0.75, 0.8)]],
    "an L": [[(0.35, 0.15), (0.35, 0.8), (0.7, 0.8)]],
    "a dot": [[(0.5, 0.5)]],
    "a small 5": [[(0.6, 0.4), (0.45, 0.4), (0.44, 0.5), (0.56, 0.52), (0.55, 0.6), (0.43, 0.6)]],
}


@pytest.fixture(scope="module")
def models():
    """Each run's network, its likelihood, and test images chosen at random."""
    found = {}
    for name in RUNS[:2]:
        run = folder.load_run(HTML.parents[1] / "executed" / name)
        found[name] = model_of(run), assumed(run.settings.objective)
    model, edges = of_record(RECORD)
    found["odds"] = model, ProportionalOdds(edges)
    test = load_data("mnist").test_images
    chosen = torch.randperm(len(test), generator=torch.Generator().manual_seed(0))[:IMAGES]
    return {name: (*both, test[chosen]) for name, both in found.items()}


def of_record(file):
    """Return the model of a recorded run, as the page has it, and the edges between its levels."""
    has, model = read_json(file)["explored"], VAE(2)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            values = np.frombuffer(b64decode(has["weights"][name]["integers"]), "<i2")
            flat = torch.tensor(has["weights"][name]["scale"] * values.astype(float)).float()
            rows, columns = weight.shape[:2] if weight.ndim > 1 else (1, 1)
            if weight.ndim == 4 and "encoder" in name:  # (3, 3, inputs, outputs)
                flat = flat.view(3, 3, columns, rows).permute(3, 2, 0, 1)
            elif weight.ndim == 4:  # (inputs, 3, 3, outputs)
                flat = flat.view(rows, 3, 3, columns).permute(0, 3, 1, 2)
            elif weight.ndim == 2:
                flat = flat.view(columns, rows).T
            weight.copy_(flat)
    gaps = torch.tensor(has["thresholds"]["gaps"]).double()
    end, first = torch.tensor([np.inf]).double(), has["thresholds"]["first"]
    thresholds = first + torch.cat([gaps.new_zeros(1), gaps]).cumsum(0)
    widths = torch.log(-torch.expm1(-gaps))
    below, above = torch.cat([-end, thresholds]), torch.cat([thresholds, end])
    width = torch.cat([gaps.new_zeros(1), widths, gaps.new_zeros(1)])
    return model.eval(), torch.stack([below, above, width], 1)


@pytest.fixture
def opened(visit):
    """Open the page; return it when it can do everything."""

    def go(name=RUNS[0], **more):
        seen = visit(ADDRESS, **more)
        seen.page.locator(f".explorer[data-ready={RUNS[0]}]").wait_for()
        if name != RUNS[0]:
            seen.page.get_by_label(name).check()
            seen.page.locator(f".explorer[data-ready={name}]").wait_for()
        settled(seen.page)
        assert seen.wrong == []
        return seen

    return go


def settled(page):
    """Wait for the sentence; return it."""
    status = page.locator("[data-part=status]")
    says = "e => e.textContent.startsWith('log p(x) is')"
    page.wait_for_function(says, arg=status.element_handle())
    return status.inner_text()


def draw(page, strokes):
    """Draw with the mouse, five steps from one point to the next."""
    box = page.locator("[data-part=drawing]").bounding_box()

    def place(point):
        return box["x"] + point[0] * box["width"], box["y"] + point[1] * box["height"]

    for first, *others in strokes:
        page.mouse.move(*place(first))
        page.mouse.down()
        for point in others:
            page.mouse.move(*place(point), steps=5)
        page.mouse.up()


def shown(page, image):
    """Show an image (784,); return what the page finds out about it, without the squares."""
    return page.evaluate(
        f"""async pixels => {{
            const image = Float32Array.from(pixels);
            const settled = new Promise(done => {PART}.addEventListener(
                "settled", ({{detail}}) => done(detail), {{once: true}}));
            {EXPLORER}.show(image, null);
            {EXPLORER}.settle();
            const {{squares, ...found}} = await settled;
            return found;
        }}""",
        image.tolist(),
    )


def clear(page):
    page.locator("[data-part=clear]").click()


@pytest.mark.parametrize("name", RUNS)
def test_the_evidence_is_the_librarys(opened, models, name):
    """Of test images and of drawings; of the build's runs with the weights before they are rounded
    for the page."""
    page = opened(name).page
    model, likelihood, images = models[name]
    pixels = list(images.flatten(1).float() / 255)
    for strokes in DRAWINGS.values():
        clear(page)
        draw(page, strokes)
        pixels.append(torch.tensor(page.evaluate(f"Array.from({EXPLORER}.image)")))
    pixels = torch.stack(pixels)
    with torch.no_grad():
        q = model.encoder(pixels.view(-1, 1, 28, 28))
    evidence = integrate(model.decoder, likelihood, pixels, q)
    found = [shown(page, image) for image in pixels]
    error = torch.tensor([one["logEvidence"] for one in found]) - evidence.log_evidence
    middle, most = float(error.abs().median()), float(error.abs().max())
    print(f"\n{name}: log p(x) to {middle:.4f} in the median, {most:.3f} at most")
    assert middle <= 0.003
    assert most <= 0.02
    bound = torch.tensor([one["bound"] for one in found]) - evidence.expected
    # What remains is the divergence, which both take from the same formula.
    divergence = (q.mean**2 + q.log_variance.exp() - 1 - q.log_variance).sum(1) / 2
    assert float((bound + divergence).abs().max()) <= 0.2


@pytest.mark.parametrize("why", ["ordinary gap", "two modes"])
def test_the_lines_are_the_librarys_to_a_pixel(opened, models, why):
    """Both ways: what they enclose holds the library's region without its outmost pixels, and is
    held by the region with a pixel more around it. A window of 300 pixels holds both. Where the
    density is nearly flat a pixel is little: one farther off may be as high as the line, to a tenth
    of a nat."""
    page = opened().page
    model, likelihood, _ = models[RUNS[0]]
    page.get_by_label(why).first.click()
    settled(page)
    page.locator("[data-part=zoom]").click()
    axes, inside = page.evaluate(
        f"""() => {{
            const {{exact, panels, image}} = {EXPLORER};
            const [left, right] = panels.plane.window;
            const pixel = (right - left) / 300;
            const {{box}} = exact.surface.raster();
            const axes = [0, 1].map(k => Array.from(
                {{length: Math.ceil((box[2 * k + 1] - box[2 * k]) / pixel)}},
                (_, n) => box[2 * k] + (n + 0.5) * pixel));
            const heights = axes[0].map(x => axes[1].map(y => exact.surface.height(x, y)));
            return [axes, exact.surface.levels().map(level =>
                heights.map(row => row.map(height => height >= level)))];
        }}"""
    )
    image = torch.tensor(page.evaluate(f"Array.from({EXPLORER}.image)"))
    nodes = torch.cartesian_prod(*(torch.tensor(axis) for axis in axes))
    with torch.no_grad():
        height = log_joint(model.decoder, likelihood, image, nodes)
    density = torch.exp(height - height.max()).view(len(axes[0]), -1).numpy()
    for ours, level in zip(inside, mass_levels(density, (0.5, 0.95)), strict=True):
        ours, region = np.array(ours), density >= level
        assert region.sum() > 100
        more = ndimage.binary_dilation(region, np.ones((3, 3)))
        less = ndimage.binary_erosion(region, np.ones((3, 3)))
        off = (ours & ~more) | (less & ~ours)
        nats = np.abs(np.log(density[off] / level)).max(initial=0)
        print(f"\n{why}: {off.sum()} of {region.sum()} lie farther off, {nats:.3f} nats at most")
        assert nats <= 0.1


def test_a_drawing_is_prepared_as_mnists_digits_are(opened):
    page = opened().page
    side = np.arange(28)
    for name, strokes in DRAWINGS.items():
        clear(page)
        draw(page, strokes)
        image = np.array(page.evaluate(f"Array.from({EXPLORER}.image)")).reshape(28, 28)
        assert image.min() >= 0
        assert 0.9 < image.max() <= 1 + 1e-6, name
        rows, columns = image.sum(1), image.sum(0)
        # The centre of mass is at index 14, and the longer side has 20 pixels.
        assert (rows * side).sum() / image.sum() == pytest.approx(14, abs=0.05), name
        assert (columns * side).sum() / image.sum() == pytest.approx(14, abs=0.05), name
        longer = max(np.ptp(np.flatnonzero(rows > 0.05)), np.ptp(np.flatnonzero(columns > 0.05)))
        assert 18 <= longer + 1 <= 22, name


def test_the_prepared_digit_has_the_grey_of_mnist(opened, models):
    """Strokes as wide as MNIST's: the share of ink of a 1 lies within that of the test images."""
    page = opened().page
    draw(page, DRAWINGS["a 7"])
    ink = page.evaluate(f"{EXPLORER}.image.reduce((a, b) => a + b)")
    of_test_images = models["bce-elbo"][2].flatten(1).float().sum(1) / 255
    assert of_test_images.min() < ink < of_test_images.max()


def slowness(page):
    """Return how much slower the machine is at this moment than one for which limits were set.

    That is an AMD EPYC with AVX2 which does nothing else. A faster one counts as 1.
    """
    seconds = page.evaluate(
        """() => {
            const start = performance.now(), numbers = new Float32Array(1e4).fill(0.5);
            let sum = 0;
            for (let n = 0; n < 1e8; n++) sum += numbers[n % 1e4] * numbers[(n >> 3) % 1e4];
            return (performance.now() - start) / 1000 + 0 * sum;
        }"""
    )
    print(f"\n{seconds / PRODUCTS:.2f} times as slow as where limits were set")
    return max(1, seconds / PRODUCTS)


def soonest(limit, measure):
    """Assert that one of up to ten measurements is at most `limit` times the machine's slowness.

    A measurement is the seconds and the slowness after them. Other tests run beside this one, and
    load comes and goes: the least time stands against the least slowness.
    """
    times, slow = [], []
    while len(times) < 10 and (not times or min(times) > limit * min(slow)):
        seconds, slowness_then = measure()
        times.append(seconds)
        slow.append(slowness_then)
    print(f"\nafter {', '.join(f'{time:.4f}' for time in times)} s")
    assert min(times) <= limit * min(slow)


def times_of_the_pen(page):
    """Return the seconds from each of 100 events of the pen until everything is drawn."""
    return page.evaluate(
        f"""() => {{
            const {{pen, panels}} = {EXPLORER}; const times = [];
            pen.begin([80, 60]);
            for (let n = 0; n < 100; n++) {{
                const start = performance.now();
                pen.add([80 + n, 60 + n + 20 * Math.sin(n / 10)]);
                panels.find("plane").getContext("2d").getImageData(0, 0, 1, 1);
                times.push((performance.now() - start) / 1000);
            }}
            pen.clear();
            return times;
        }}"""
    )


def times_of_exact_values(page):
    """Return the seconds until exact values of 10 drawings and of 20 test images."""
    drawn = [[[(280 * x, 280 * y) for x, y in line] for line in one] for one in DRAWINGS.values()]
    return page.evaluate(
        f"""async drawings => {{
            const explorer = {EXPLORER}, seconds = [];
            const begin = [
                ...drawings.map(strokes => () => explorer.pen.replace(strokes)),
                ...explorer.others.slice(0, 20).map(one => () => explorer.choose(one)),
            ];
            for (const show of begin) {{
                const settled = new Promise(done => {PART}.addEventListener(
                    "settled", done, {{once: true}}));
                const start = performance.now();
                show();
                await settled;
                seconds.push((performance.now() - start) / 1000);
            }}
            return seconds;
        }}""",
        drawn,
    )


@pytest.mark.parametrize("name", ["bce-elbo", "odds"])
def test_it_keeps_up_with_the_pen(opened, name):
    page = opened(name).page
    soonest(0.016, lambda: (statistics.median(times_of_the_pen(page)), slowness(page)))


@pytest.mark.parametrize("name", ["bce-elbo", "odds"])
def test_exact_values_come_soon(opened, name):
    """Half of the images after 0.3 s, and each after 1.5 s."""
    page = opened(name).page

    def shares_of_the_limits():
        seconds = times_of_exact_values(page)
        assert len(seconds) == 30
        return max(statistics.median(seconds) / 0.3, max(seconds) / 1.5), slowness(page)

    soonest(1, shares_of_the_limits)


NOTE_WHEN_READY = """new MutationObserver(() => { globalThis.ready = performance.now() }).observe(
    document, {attributeFilter: ["data-ready"], subtree: true})"""


def test_it_is_ready_soon(browser):
    """The page's own clock says when."""

    def ready():
        with browser.new_context() as context:
            page = context.new_page()
            page.add_init_script(NOTE_WHEN_READY)
            page.goto(ADDRESS)
            page.locator(f".explorer[data-ready={RUNS[0]}]").wait_for()
            return page.evaluate("ready") / 1000, slowness(page)

    soonest(2, ready)


HOLD_THE_PAINT = """const { observe } = PerformanceObserver.prototype;
PerformanceObserver.prototype.observe = function (options) {
    if (options.type !== "paint") return observe.call(this, options);
    globalThis.paint = () => observe.call(this, options);
}"""


def test_it_begins_when_the_page_can_be_read(browser):
    with browser.new_context() as context:
        page = context.new_page()
        page.add_init_script(HOLD_THE_PAINT)
        page.goto(ADDRESS, wait_until="load")  # its scripts have run
        assert page.evaluate(f"{EXPLORER} === undefined")
        page.evaluate("paint()")
        page.locator(f".explorer[data-ready={RUNS[0]}]").wait_for()


SHIFTS = """globalThis.shifts = 0;
new PerformanceObserver(list => {
    for (const shift of list.getEntries()) if (!shift.hadRecentInput) shifts += shift.value;
}).observe({type: "layout-shift", buffered: true})"""


@pytest.mark.parametrize("width", [412, 1366])
def test_nothing_moves_while_it_opens(browser, width):
    with browser.new_context(viewport={"width": width, "height": 823}) as context:
        page = context.new_page()
        page.add_init_script(SHIFTS)
        page.goto(ADDRESS)
        page.locator(f".explorer[data-ready={RUNS[0]}]").wait_for()
        settled(page)
        assert page.evaluate("shifts") <= 0.1  # web.dev calls that good


def test_it_is_light():
    def weight(name):
        return len(gzip.compress((HTML / "_static/explorer" / name).read_bytes()))

    for name in RUNS:
        size = weight("explorer.js") + weight("explorer.css") + weight(f"{name}.js")
        print(f"\n{name}: {size / 1000:.0f} kB")
        assert size <= 320_000


def test_a_run_is_loaded_when_it_is_chosen(visit):
    def switch():
        seen = visit(ADDRESS)
        seen.page.locator(f".explorer[data-ready={RUNS[0]}]").wait_for()
        assert not any(f"{RUNS[1]}.js" in address for address in seen.requests)
        settled(seen.page)
        start = time.perf_counter()
        seen.page.get_by_label(RUNS[1]).check()
        seen.page.locator(f".explorer[data-ready={RUNS[1]}]").wait_for()
        seconds = time.perf_counter() - start
        assert any(f"{RUNS[1]}.js" in address for address in seen.requests)
        own = (HTML.as_uri(), "blob:", "data:")
        assert [address for address in seen.requests if not address.startswith(own)] == []
        assert seen.wrong == []
        return seconds, slowness(seen.page)

    soonest(1.5, switch)


def test_the_same_drawing_stays_when_the_model_changes(opened):
    page = opened().page
    draw(page, DRAWINGS["a 3"])
    before, first = settled(page), page.evaluate(f"Array.from({EXPLORER}.image)")
    page.get_by_label(RUNS[1]).check()
    page.wait_for_function(
        "before => {const t = document.querySelector('[data-part=status]').textContent;"
        "return t.startsWith('log') && t !== before}",
        arg=before,
    )
    assert page.evaluate(f"Array.from({EXPLORER}.image)") == first


@pytest.mark.parametrize("name", RUNS)
def test_test_images_have_the_evidence_of_the_notebook(opened, name):
    page = opened(name).page
    notebook = HTML.parents[1] / f"executed/evidence-{name}/explorer.json"
    has = read_json(RECORD)["explored"] if name == "odds" else read_json(notebook)
    buttons = page.locator("[data-part=choices] button")
    assert buttons.count() == len(has["images"])
    for number, image in enumerate(has["images"]):
        buttons.nth(number).click()
        words = settled(page).replace("−", "-")
        assert float(words.split()[3]) == pytest.approx(image["log_evidence"], abs=0.11)
        assert image["why"] in buttons.nth(number).get_attribute("aria-label")
        assert buttons.nth(number).get_attribute("aria-pressed") == "true"


def test_the_keyboard_draws(opened):
    page = opened().page
    page.locator("[data-part=drawing]").focus()
    for key, times in (("ArrowUp", 8), (" ", 1), ("ArrowDown", 16), ("ArrowRight", 6), (" ", 1)):
        for _ in range(times):
            page.keyboard.press(key)
    strokes = page.evaluate(f"{EXPLORER}.pen.strokes")
    assert [len(stroke) for stroke in strokes] == [1 + 16 + 6]
    assert strokes[0][0] == [140, 76]
    assert strokes[0][-1] == [188, 204]
    settled(page)
    page.keyboard.press("Escape")
    assert page.locator("[data-part=status]").inner_text() == "Nothing is drawn."


@pytest.fixture
def fingers(browser):
    """A phone: the page, and functions that touch a part of it."""
    context = browser.new_context(has_touch=True, viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto(ADDRESS)
    page.locator(".explorer[data-ready]").wait_for()
    settled(page)
    page.evaluate(f"{PART}.scrollIntoView({{behavior: 'instant'}})")
    session = context.new_cdp_session(page)

    def touch(part, kind, *places, radius=5):
        """Fingers at places of a part, in shares of its sides."""
        box = page.locator(f"[data-part={part}]").bounding_box()
        points = [
            {"x": box["x"] + x * box["width"], "y": box["y"] + y * box["height"], "id": n}
            | {"radiusX": radius, "radiusY": radius}
            for n, (x, y) in enumerate(places)
        ]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    yield page, touch, session
    context.close()


def strokes(page):
    """The strokes, in shares of the canvas."""
    return [
        [[x / 280, y / 280] for x, y in one] for one in page.evaluate(f"{EXPLORER}.pen.strokes")
    ]


def line(touch, part, *way):
    """Draw with a finger."""
    touch(part, "touchStart", way[0])
    for place in way[1:]:
        touch(part, "touchMove", place)
    touch(part, "touchEnd")


def test_a_finger_draws_without_scrolling(fingers):
    page, touch, _ = fingers
    before = page.evaluate("scrollY")
    line(touch, "drawing", *((0.5, y) for y in np.linspace(0.8, 0.2, 10)))
    assert settled(page)
    assert len(strokes(page)) == 1
    assert page.evaluate("scrollY") == before


def test_only_the_first_finger_draws(fingers):
    page, touch, _ = fingers
    touch("drawing", "touchStart", (0.2, 0.2))
    touch("drawing", "touchMove", (0.3, 0.2))
    touch("drawing", "touchStart", (0.3, 0.2), (0.9, 0.9))
    touch("drawing", "touchMove", (0.4, 0.2), (0.8, 0.9))
    touch("drawing", "touchMove", (0.5, 0.2), (0.8, 0.8))
    touch("drawing", "touchEnd")
    (stroke,) = strokes(page)
    assert all(abs(y - 0.2) < 0.01 for _, y in stroke)
    assert stroke[-1][0] == pytest.approx(0.5, abs=0.01)


def test_a_palm_draws_nothing(fingers):
    page, touch, _ = fingers
    touch("drawing", "touchStart", (0.5, 0.5), radius=40)
    touch("drawing", "touchMove", (0.6, 0.6), radius=40)
    touch("drawing", "touchEnd")
    assert strokes(page) == []


def test_beside_a_stylus_a_hand_draws_nothing(fingers):
    page, touch, session = fingers
    box = page.locator("[data-part=drawing]").bounding_box()
    for kind, share in (("mousePressed", 0.2), ("mouseMoved", 0.6), ("mouseReleased", 0.6)):
        place = {"x": box["x"] + share * box["width"], "y": box["y"] + 0.5 * box["height"]}
        pen = {"pointerType": "pen", "button": "left", "buttons": 1, "clickCount": 1}
        session.send("Input.dispatchMouseEvent", {"type": kind, **place, **pen})
    line(touch, "drawing", (0.1, 0.1), (0.9, 0.1))
    assert len(strokes(page)) == 1


def test_what_the_system_cancels_leaves_no_ink(fingers):
    page, touch, _ = fingers
    line(touch, "drawing", (0.2, 0.2), (0.4, 0.2))
    touch("drawing", "touchStart", (0.5, 0.5))
    touch("drawing", "touchMove", (0.7, 0.7))
    touch("drawing", "touchCancel")
    assert len(strokes(page)) == 1
    line(touch, "drawing", (0.2, 0.8), (0.4, 0.8))
    assert len(strokes(page)) == 2


def test_a_cancelled_first_stroke_brings_the_test_image_back(fingers):
    page, touch, _ = fingers
    before = page.evaluate(f"[{EXPLORER}.chosen, Array.from({EXPLORER}.image)]")
    touch("drawing", "touchStart", (0.5, 0.5))
    touch("drawing", "touchMove", (0.7, 0.7))
    assert page.evaluate(f"{EXPLORER}.chosen") is None
    touch("drawing", "touchCancel")
    assert page.evaluate(f"[{EXPLORER}.chosen, Array.from({EXPLORER}.image)]") == before
    settled(page)


def test_a_palm_does_not_move_the_ring(fingers):
    page, touch, _ = fingers
    line_of_a_palm = (0.3, 0.3), (0.5, 0.6)
    touch("plane", "touchStart", line_of_a_palm[0], radius=40)
    touch("plane", "touchMove", line_of_a_palm[1], radius=40)
    touch("plane", "touchEnd")
    assert ring(page)[1] is False


@pytest.mark.parametrize("button", ["right", "middle"])
def test_other_buttons_neither_draw_nor_pin(opened, button):
    page = opened().page
    for part in ("drawing", "plane"):
        box = page.locator(f"[data-part={part}]").bounding_box()
        page.mouse.move(box["x"] + 50, box["y"] + 50)
        page.mouse.down(button=button)
        page.mouse.move(box["x"] + 150, box["y"] + 150, steps=5)
        page.mouse.up(button=button)
    assert strokes(page) == []
    assert not page.evaluate(f"{EXPLORER}.ring.pinned")


@pytest.mark.parametrize("part", ["drawing", "plane"])
def test_a_button_that_is_lifted_while_another_is_down_ends_the_stroke(opened, part):
    page = opened().page
    box = page.locator(f"[data-part={part}]").bounding_box()
    page.mouse.move(box["x"] + 50, box["y"] + 50)
    page.mouse.down()
    page.mouse.move(box["x"] + 90, box["y"] + 50)
    page.mouse.down(button="right")
    page.mouse.up()
    page.mouse.move(box["x"] + 95, box["y"] + 50)
    before = strokes(page), ring(page)
    page.mouse.move(box["x"] + 150, box["y"] + 150, steps=5)
    page.mouse.up(button="right")
    assert (strokes(page), ring(page)) == before
    assert part == "drawing" or before[1][1]


def test_a_line_that_leaves_and_returns_has_a_gap(opened):
    page = opened().page
    draw(page, [[(0.5, 0.5), (1.3, 0.5), (1.3, 0.8), (0.5, 0.8)]])
    first, second = strokes(page)
    assert np.max(first + second) <= 1
    assert first[-1][1] == pytest.approx(0.5, abs=0.01)
    assert second[0][1] == pytest.approx(0.8, abs=0.01)
    page.keyboard.press("Control+z")  # it was one line
    assert strokes(page) == []


def test_strokes_and_clearing_are_taken_back(opened):
    page = opened().page
    draw(page, DRAWINGS["a cross"])
    page.get_by_role("button", name="Undo").click()
    assert len(strokes(page)) == 1
    clear(page)
    assert strokes(page) == []
    page.keyboard.press("Control+z")
    assert len(strokes(page)) == 1
    page.keyboard.press("Control+z")
    assert strokes(page) == []
    assert page.get_by_role("button", name="Undo").is_disabled()


def test_a_test_image_leaves_the_drawing(opened):
    page = opened().page
    draw(page, DRAWINGS["a 3"])
    settled(page)
    before = page.evaluate(f"Array.from({EXPLORER}.image)")
    page.locator("[data-part=choices] button").first.click()
    settled(page)
    page.get_by_role("button", name="Another").click()
    settled(page)
    assert page.evaluate(f"Array.from({EXPLORER}.image)") != before
    page.get_by_role("button", name="Your drawing").click()
    settled(page)
    assert page.evaluate(f"Array.from({EXPLORER}.image)") == before
    draw(page, DRAWINGS["a dot"])
    assert len(strokes(page)) == 2


def ring(page):
    return page.evaluate(f"(({{z, pinned}}) => [z, pinned])({EXPLORER}.ring)")


def test_the_ring_follows_the_mouse_and_can_be_put_down(opened):
    page = opened().page
    plane = page.locator("[data-part=plane]")
    box = plane.bounding_box()

    def go(x, y):
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])

    go(0.75, 0.4)
    assert ring(page)[0] == pytest.approx([2.5, 1], abs=0.05)
    page.mouse.move(box["x"] - 50, box["y"] + 50)  # beside the plane
    assert ring(page) == [None, False]
    go(0.75, 0.4)
    page.mouse.down()
    page.mouse.up()
    go(0.2, 0.2)
    page.mouse.move(box["x"] - 50, box["y"] + 50)
    assert ring(page)[0] == pytest.approx([2.5, 1], abs=0.05)
    assert "z = (2.5" in page.locator("[data-part=ring]").inner_text()
    go(0.3, 0.3)
    page.mouse.down()
    page.mouse.up()
    assert ring(page) == [None, False]
    go(0.6, 0.6)
    page.mouse.down()
    go(0.8, 0.8)
    page.mouse.up()
    assert ring(page) == [pytest.approx([3, -3], abs=0.05), True]
    page.get_by_role("button", name="Back to the encoder's mean").click()
    assert ring(page) == [None, False]


def test_a_finger_moves_the_ring_in_both_directions(fingers):
    page, touch, _ = fingers
    before = page.evaluate("scrollY")
    line(touch, "plane", (0.3, 0.3), (0.4, 0.5), (0.5, 0.8))
    assert ring(page) == [pytest.approx([0, -3], abs=0.1), True]
    assert page.evaluate("scrollY") == before
    line(touch, "plane", (0.2, 0.2), (0.202, 0.2))  # a tap, on which no finger is quite still
    assert ring(page) == [None, False]


def test_a_second_finger_or_the_system_does_not_move_the_ring(fingers):
    page, touch, _ = fingers
    touch("plane", "touchStart", (0.5, 0.5))
    touch("plane", "touchMove", (0.6, 0.5))
    touch("plane", "touchStart", (0.6, 0.5), (0.1, 0.1))
    touch("plane", "touchMove", (0.7, 0.5), (0.1, 0.2))
    touch("plane", "touchEnd")
    assert ring(page) == [pytest.approx([2, 0], abs=0.1), True]
    touch("plane", "touchStart", (0.2, 0.2))
    touch("plane", "touchMove", (0.3, 0.3))
    touch("plane", "touchCancel")
    assert ring(page) == [pytest.approx([2, 0], abs=0.1), True]


def test_a_swipe_beside_the_plane_scrolls(fingers):
    page, _, session = fingers
    before = page.evaluate("scrollY")
    box = page.locator("[data-part=plane]").bounding_box()
    assert box["x"] >= 24
    assert box["x"] - 12 > page.locator(".explorer").bounding_box()["x"]
    for n, kind in enumerate(["touchStart", *["touchMove"] * 10, "touchEnd"]):
        points = [{"x": box["x"] - 12, "y": box["y"] + 200 - 15 * n}]
        points = [] if kind == "touchEnd" else points
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    page.wait_for_function(f"scrollY > {before} + 50")


@pytest.mark.parametrize(
    ("policy", "says"),
    [
        ("script-src 'self' 'unsafe-inline'", "content policy of this page's host"),
        ("worker-src 'self'", "Nothing exact can be computed here: the host of this page allows"),
    ],
    ids=["no WebAssembly", "no worker"],
)
def test_under_a_strict_content_policy_it_says_what_is_missing(browser, host, policy, says):
    context = browser.new_context()
    page = context.new_page()

    def strict(route):
        answer = route.fetch()
        headers = answer.headers | {"content-security-policy": policy}
        route.fulfill(response=answer, headers=headers)

    page.route("**/explorer.html", strict)
    page.goto(f"{host}/beyond/explorer.html")
    page.get_by_text(says).wait_for(timeout=20_000)
    context.close()


def test_with_forced_colours_the_chosen_image_is_marked(browser):
    context = browser.new_context(forced_colors="active")
    page = context.new_page()
    page.goto(ADDRESS)
    page.locator(".explorer[data-ready]").wait_for()
    style = "e => getComputedStyle(e).outlineStyle"
    chosen = page.locator(".explorer-choices button[aria-pressed=true]")
    assert chosen.evaluate(style) == "solid"
    other = page.locator(".explorer-choices button[aria-pressed=false]").first
    assert other.evaluate(style) == "none"
    context.close()


def test_sliders_decode(opened):
    page = opened().page
    z = page.evaluate(f"{EXPLORER}.q.mean")
    sliders = [page.locator(f"[data-part=z{number}]") for number in (1, 2)]
    for slider, value in zip(sliders, z, strict=True):
        assert float(slider.input_value()) == pytest.approx(value, abs=0.006)
    picture = "document.querySelector('[data-part=decoded]').toDataURL()"
    there = page.evaluate(picture)
    sliders[0].focus()
    page.keyboard.press("End")
    assert ring(page) == [pytest.approx([5, z[1]], abs=0.006), True]
    assert page.evaluate(picture) != there


@pytest.mark.parametrize(("width", "height"), [(1366, 768), (390, 844)])
def test_the_stage_is_seen_at_once(opened, width, height):
    """Drawing, plane and decoded digit, with their buttons, below the page's header."""
    page = opened(width=width).page
    page.set_viewport_size({"width": width, "height": height})
    page.evaluate(f"{PART}.scrollIntoView({{behavior: 'instant'}})")
    header = page.locator(".bd-header-article").bounding_box()
    parts = [
        page.locator(f"[data-part={name}]") for name in ("drawing", "plane", "decoded", "ring")
    ]
    boxes = [part.bounding_box() for part in (*parts, page.locator(".explorer-stage"))]
    assert min(box["y"] for box in boxes) >= header["y"] + header["height"] - 1
    assert max(box["y"] + box["height"] for box in boxes) <= height
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_each_step_of_the_tour_sets_the_stage(opened):
    seen = opened(width=1366)
    page = seen.page
    page.set_viewport_size({"width": 1366, "height": 768})
    links = page.locator("article a[href^='#explorer;']:text-is('Show it.')")
    number = links.count()
    assert number >= 7
    links.first.click()
    words = set()
    for step in range(number):
        page.wait_for_function(f"{EXPLORER}.tour.step === {step}")
        settled(page)
        words.add(page.locator("[data-part=words]").inner_text())
        fragment = page.evaluate("decodeURIComponent(location.hash)")
        view = dict(part.split("=") for part in fragment.split(";")[1:])
        page.wait_for_function(f"{EXPLORER}.ring.pinned === {str('z' in view).lower()}")
        assert page.evaluate(f"{EXPLORER}.wanted") == view["run"]
        assert page.evaluate(f"{EXPLORER}.pen.strokes.length") >= ("draw" in view)
        page.wait_for_function(
            """() => {
                const [stage, header] = [".explorer-stage", ".bd-header-article"]
                    .map(name => document.querySelector(name).getBoundingClientRect());
                return stage.top >= header.bottom - 1 && stage.bottom <= innerHeight + 1;
            }"""
        )
        page.get_by_role("button", name="Next").click(force=step == number - 1)
    assert len(words) == number
    assert "Show it" not in "".join(words)
    page.get_by_role("button", name="End the tour").click()
    assert not page.locator("[data-part=tour]").is_visible()
    assert seen.wrong == []


def test_steps_of_the_tour_in_a_hurry_end_where_the_last_one_is(opened):
    """The seventh loads another model; nothing of it comes after the ninth."""
    page = opened().page
    links = page.locator("article a[href^='#explorer;']:text-is('Show it.')")
    for number in (6, 8):
        links.nth(number).evaluate("link => link.click()")
    page.wait_for_function(f"{EXPLORER}.ring.pinned")
    page.wait_for_timeout(2000)
    assert ring(page) == [[-4.5, 4.5], True]
    assert page.evaluate(f"{EXPLORER}.wanted") == RUNS[0]
    assert page.get_by_label(RUNS[0]).is_checked()


def test_what_a_reader_draws_meanwhile_stays(opened):
    """While the seventh step loads another model."""
    page = opened().page
    page.locator("article a[href^='#explorer;']:text-is('Show it.')").nth(6).evaluate(
        f"""link => {{
            link.click();
            setTimeout(() => {EXPLORER}.pen.replace([[[9, 9], [80, 80]]]), 20);
        }}"""
    )
    page.locator(f".explorer[data-ready={RUNS[1]}]").wait_for()
    settled(page)
    page.wait_for_timeout(500)
    assert page.evaluate(f"{EXPLORER}.pen.strokes") == [[[9, 9], [80, 80]]]
    assert ring(page) == [None, False]


def test_a_drawing_of_the_tour_can_be_taken_back(opened):
    page = opened().page
    draw(page, DRAWINGS["a 1"])
    settled(page)
    own = strokes(page)
    page.locator("article a[href^='#explorer;']:text-is('Show it.')").nth(1).click()
    page.wait_for_function(f"{EXPLORER}.pen.strokes.length === 2")
    page.get_by_role("button", name="Undo").click()
    assert strokes(page) == own


def test_a_link_made_after_a_switch_of_models_opens(opened, visit):
    page = opened().page
    page.get_by_label("greatest gap").first.click()
    settled(page)
    page.get_by_label(RUNS[1]).check()
    page.locator(f".explorer[data-ready={RUNS[1]}]").wait_for()
    link = page.locator("[data-part=link]").get_attribute("href")
    assert link.startswith(f"#explorer;run={RUNS[1]};image=")
    other = visit(ADDRESS + link).page
    other.wait_for_function(f"{EXPLORER}?.chosen === {page.evaluate(f'{EXPLORER}.chosen')}")
    image = f"Array.from({EXPLORER}.image)"
    assert other.evaluate(image) == page.evaluate(image)


@pytest.mark.parametrize("fragment", ["#explorer;run=other", "#explorer;draw=84"])
def test_a_page_opened_by_a_bad_link_works_and_says_why(visit, fragment):
    seen = visit(ADDRESS + fragment)
    seen.page.locator(f".explorer[data-ready={RUNS[0]}]").wait_for()
    seen.page.get_by_text("The link").wait_for(timeout=10_000)
    draw(seen.page, DRAWINGS["a 7"])
    assert settled(seen.page)
    assert seen.wrong == []


def test_a_link_opens_what_it_was_made_of(opened, visit):
    page = opened().page
    draw(page, DRAWINGS["a 7"])
    settled(page)
    page.locator("[data-part=z1]").focus()
    page.keyboard.press("End")
    link = page.locator("[data-part=link]").get_attribute("href")
    other = visit(ADDRESS + link).page
    other.wait_for_function(f"{EXPLORER}?.ring.pinned")
    assert ring(other)[0] == pytest.approx(ring(page)[0], abs=0.001)
    image = f"Array.from({EXPLORER}.image)"
    assert np.abs(np.subtract(page.evaluate(image), other.evaluate(image))).mean() < 0.02


def test_a_link_that_cannot_be_followed_says_why(opened):
    page = opened().page
    for fragment, says in (
        ("#explorer;run=bce-elbo;z=1,b", "where two numbers were expected"),
        ("#explorer;run=other", "The link names the model other, which is not here."),
        ("#explorer;run=bce-elbo;image=99999", "test image 99999, which is not here"),
    ):
        page.evaluate(f"location.hash = '{fragment}'")
        page.get_by_text(says).wait_for(timeout=10_000)


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_the_bound_rises_to_the_evidence(opened, motion):
    """Under the reader's finger: of the image with the greatest gap."""
    page = opened().page
    page.emulate_media(reduced_motion=motion)
    page.get_by_label("greatest gap").first.click()
    settled(page)
    found = page.evaluate(
        f"""async () => {{
            const improved = new Promise(done => {PART}.addEventListener(
                "improved", ({{detail}}) => done(detail), {{once: true}}));
            {EXPLORER}.improve();
            const {{bound, steps}} = await improved;
            const {{exact}} = {EXPLORER};
            return [exact.bound, bound, exact.logEvidence, steps];
        }}"""
    )
    before, after, evidence, steps = found
    print(f"\n{before:.2f}, after {steps} steps {after:.2f}, evidence {evidence:.2f}")
    assert before < after <= evidence + 0.01
    assert evidence - after < 0.5 * (evidence - before)
    row = page.locator("[data-part=of-better]").inner_text().replace("−", "-").split()
    assert float(row[-3]) == pytest.approx(after, abs=0.006)
    assert f"After {steps} steps" in page.locator("[data-part=status]").inner_text()


def test_a_walk_between_two_modes(opened):
    page = opened().page
    page.get_by_label("two modes").first.click()
    settled(page)
    for end, place in (("A", "peak"), ("B", "other peak")):
        page.evaluate(f"{EXPLORER}.ring.set({EXPLORER}.place('{place}'), true)")
        page.get_by_role("button", name=f"{end} is here").click()
    heights = page.evaluate(f"{EXPLORER}.walk.heights")
    joint = page.evaluate(f"{EXPLORER}.model.decode({EXPLORER}.ends.A, {EXPLORER}.image).joint")
    assert heights[0][0] == heights[1][0] == pytest.approx(joint)
    assert min(heights[1]) >= min(heights[0]) - 0.3  # the dense way falls no deeper
    strips = page.locator("[data-part=strip1]")
    expect(strips).to_be_in_viewport(ratio=0.99)  # without scrolling
    page.get_by_role("button", name="End the walk").click()
    assert not page.locator("[data-part=strip1]").is_visible()


def test_a_walk_from_a_point_to_itself_stays_there(opened):
    page = opened().page
    page.get_by_label("ordinary gap").first.click()
    settled(page)
    for end in "AB":
        page.get_by_role("button", name=f"{end} is here").click()
    heights = np.array(page.evaluate(f"{EXPLORER}.walk.heights"))
    assert np.ptp(heights) == 0


def test_a_walk_waits_for_the_posterior(opened):
    page = opened().page
    found = page.evaluate(
        f"""async () => {{
            const explorer = {EXPLORER};
            const settled = new Promise(done => {PART}.addEventListener(
                "settled", done, {{once: true}}));
            explorer.choose(explorer.others[0]);
            for (const [end, z] of [["A", [0, 0]], ["B", [1, 1]]]) {{
                explorer.ring.set(z, true);
                explorer.stand(end);
            }}
            const early = explorer.walk;
            await settled;
            return [early, explorer.walk.ways[0]];
        }}"""
    )
    assert found == [None, [[0, 0], [1, 1]]]


def test_at_200_per_cent_the_keyboard_moves_the_ring(opened):
    page = opened(width=640).page
    slider = page.locator("[data-part=z1]")
    slider.focus()
    assert slider.bounding_box()["width"] > 50
    page.keyboard.press("Home")
    assert ring(page)[0][0] == -5


@pytest.mark.parametrize("width", [360, 640])
def test_on_a_phone_and_at_200_per_cent_nothing_scrolls_sideways(opened, width):
    page = opened(width=width).page
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_for_every_reader_with_a_drawing_too(opened, scheme):
    page = opened(scheme=scheme).page
    draw(page, DRAWINGS["an open 4"])
    settled(page)
    found = Axe().run(page, options=RULES).response["violations"]
    assert [(rule["id"], node["html"][:200]) for rule in found for node in rule["nodes"]] == []
    role = page.locator("[data-part=status]").get_attribute("role")
    assert role == "status"  # a screen reader says it when it changes


def test_dark_mode_redraws(opened):
    page = opened().page
    draw(page, DRAWINGS["a 1"])
    pixel = """() => [...document.querySelector('[data-part=drawing]').getContext('2d')
        .getImageData(140, 140, 1, 1).data]"""
    assert page.evaluate(pixel)[0] < 60
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    page.wait_for_function(f"() => ({pixel})()[0] > 200")


def test_a_pen_that_comes_before_the_data_does_no_harm(opened):
    seen = opened()
    words = seen.page.evaluate(
        f"""async () => {{
            const fail = () => Promise.reject(new Error("The data cannot be loaded."));
            const early = new ({EXPLORER}.constructor)({PART}, fail, "");
            early.pen.begin([100, 100]);
            early.pen.end();
            early.ring.set([0, 0], true);
            await early.use("bce-elbo");
            return document.querySelector("[data-part=status]").textContent;
        }}"""
    )
    assert words == "The data cannot be loaded."
    assert seen.wrong == []


def test_without_javascript_there_is_a_figure_and_a_reason(browser):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(ADDRESS)
    assert page.locator(".explorer-missing").is_visible()
    assert not page.locator("section.explorer").is_visible()
    assert page.locator("figure#fig-explorer img").is_visible()
    context.close()


def test_print_leaves_it_out(opened):
    page = opened().page
    page.emulate_media(media="print")
    assert not page.locator("section.explorer").is_visible()
    assert page.locator("figure#fig-explorer img").is_visible()
