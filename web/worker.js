// The model at work, beside the page: source glyphs and style vectors in, outlines out.

import * as ort from "./ort.js";
import { kept, Trouble } from "./fetching.js";
import { MODEL, RUNTIME, SIZE_PX } from "./files.js";
import { outline } from "./outline.js";

let session;

onmessage = ({ data }) => reported(draw(data));
reported(open());

async function reported(work) {
  try {
    await work;
  } catch (error) {
    const trouble = error instanceof Trouble ? error : new Trouble("broken", String(error.message ?? error));
    postMessage({ trouble: trouble.kind, what: trouble.what });
  }
}

async function open() {
  const [wasm, network] = await Promise.all([kept(RUNTIME), kept(MODEL)]);
  ort.env.wasm.numThreads = 1; // more would need a host that isolates the page
  ort.env.wasm.wasmBinary = wasm.buffer;
  ort.env.logLevel = "error";
  session = await ort.InferenceSession.create(network, {
    executionProviders: ["wasm"],
    graphOptimizationLevel: "disabled", // the first glyph comes sooner, later ones as soon
  });
  postMessage({ opened: true });
}

async function draw({ key, source, style }) {
  const begun = performance.now();
  const fed = {
    source: new ort.Tensor("float32", source, [1, 1, SIZE_PX, SIZE_PX]),
    style: new ort.Tensor("float32", style, [1, style.length]),
  };
  const { ink } = await session.run(fed);
  const drawn_ms = performance.now() - begun;
  postMessage({ key, path: outline(ink.data, SIZE_PX), drawn_ms });
}
