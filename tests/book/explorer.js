/**
 * Run the explorer's modules on what standard input has, and print what they find, as JSON.
 *
 * Input: a run's `script` as vaelib.book.explorer.export writes it; `z` (n, 2); `images` (m, 784); `near` (m, k, 2), points.
 */
import { ascend } from "../../src/vaelib/book/explorer/script/bound.js";
import { contour } from "../../src/vaelib/book/explorer/script/contours.js";
import { likelihoodOf } from "../../src/vaelib/book/explorer/script/likelihood.js";
import { Network } from "../../src/vaelib/book/explorer/script/network.js";
import { Plane } from "../../src/vaelib/book/explorer/script/plane.js";
import { Surface } from "../../src/vaelib/book/explorer/script/surface.js";
import { arrays } from "../../src/vaelib/book/explorer/script/weights.js";
import { examine } from "../../src/vaelib/book/explorer/script/worker.js";

const { script, z, images, near } = JSON.parse(await new Response(Deno.stdin.readable).text());
(0, eval)(script);
const [data] = Object.values(globalThis.explorerRuns);
const network = new Network(arrays(data.weights));
const likelihood = likelihoodOf(data);
const plane = new Plane(network, likelihood);
const found = images.map((pixels, n) => {
  const image = Float32Array.from(pixels);
  const q = network.encode(image);
  const { step, squares, around, mean: posterior, ...exact } = examine(plane, image);
  const surface = new Surface(step, squares, around);
  const density = near[n].map((point) => Math.exp(surface.height(...point)));
  const lines = surface.levels().map((level) => contour(surface.raster(), level).flat());
  const bounds = [exact.bound];
  let better = { q };
  while (!better.done) bounds.push((better = ascend(network, likelihood, image, better.q)).bound);
  return { ...q, ...exact, posterior, density, lines, bounds, better: better.q };
});
const logits = z.map((point) => Array.from(network.decode(point)));
const together = Array.from(network.decode(z.slice(0, 4).flat()));
console.log(JSON.stringify({ found, logits, together }));
