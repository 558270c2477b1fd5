/** Where it begins: on the page, and in the worker that runs the same script. */
import { Explorer } from "./explorer.js";
import { Matrices } from "./matrices.js";
import { serve } from "./worker.js";

/**
 * Start.
 *
 * @param {string} program this script's own source, which a worker made from a file cannot load
 */
export function main(program) {
  if (!globalThis.document) return serve();
  const root = document.querySelector(".explorer");
  const can = Matrices.supported();
  document.querySelector(".explorer-missing").hidden = can;
  root.hidden = !can;
  if (!can) return;
  const { src } = document.currentScript; // empty where the page holds all scripts itself
  const load = (name) => loadRun(src, name);
  new PerformanceObserver((_, observer) => { // when the page's text can be read
    observer.disconnect();
    root.explorer = new Explorer(root, load, program); // for the console, and for tests
    root.explorer.begin();
  }).observe({ type: "paint", buffered: true });
}

/** Load the script of a run, which leaves its data in `explorerRuns`. */
function loadRun(src, name) {
  const runs = globalThis.explorerRuns ??= {};
  if (runs[name]) return Promise.resolve(runs[name]);
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = new URL(`${name}.js`, src);
    script.onload = () => setTimeout(() => resolve(runs[name])); // the page may answer between
    script.onerror = () =>
      reject(new Error(`The data of ${name}, ${script.src}, cannot be loaded.`));
    document.head.append(script);
  });
}
