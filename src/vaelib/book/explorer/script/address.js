/**
 * What a link to the page carries in its fragment, which is sent to nobody: a run, a drawing or a
 * test image, and a point of the plane.
 *
 *     #explorer;run=bce-elbo;image=12;z=0.5,-1.2
 *     #explorer;run=mse-elbo;draw=84.56-70.140-196.146_182.56-174.238;z=peak
 */

export const MARK = "#explorer;";
const APART = 3; // units of the drawing between two points that are worth a number

/** Write a view: `run`, and `strokes` or `image`, and `z`, a point or null, and `frame`: is it magnified? */
export function write({ run, image, strokes, z, frame }) {
  const parts = [`run=${encodeURIComponent(run)}`];
  if (image !== null) parts.push(`image=${image}`);
  else if (strokes.length) parts.push(`draw=${strokes.map(thinned).join("_")}`);
  if (z) parts.push(`z=${z.map((value) => value.toFixed(3))}`);
  if (frame) parts.push("frame=1");
  return MARK + parts.join(";");
}

/**
 * Read a fragment; null if it is none of ours.
 *
 * `image` is the index of a test image, or begins why one is offered, such as "two modes". `z` is a
 * point, or "mean" of the encoder, or "peak" or "other peak" of the posterior.
 */
export function read(fragment) {
  if (!fragment.startsWith(MARK)) return null;
  const { run, image = null, draw, z = null, frame } = Object.fromEntries(
    fragment.slice(MARK.length).split(";").map((part) => part.split("=").map(decodeURIComponent)),
  );
  const strokes = draw?.split("_").map((stroke) => stroke.split("-").map(point("."))) ?? null;
  return { run, image, strokes, z: z && /^[-\d.]+,/.test(z) ? point(",")(z) : z, frame: !!frame };
}

function point(separator) {
  return (text) => {
    const found = text.split(separator).map(Number);
    if (found.length === 2 && found.every(Number.isFinite)) return found;
    throw new Error(`The link has ${JSON.stringify(text)} where two numbers were expected.`);
  };
}

function thinned(stroke) {
  const kept = [stroke[0]];
  for (const [x, y] of stroke) {
    const [before, above] = kept.at(-1);
    if (Math.hypot(x - before, y - above) >= APART) kept.push([x, y]);
  }
  return kept.map((each) => each.map(Math.round).join(".")).join("-");
}
