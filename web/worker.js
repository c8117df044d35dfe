// The model at work, beside the page: source glyphs and style vectors in, outlines out.

import * as ort from "./ort.js";
import { kept, Trouble } from "./fetching.js";
import { outline } from "./outline.js";

let session, size_px;

onmessage = async ({ data }) => {
  try {
    if (data.model) await open(data);
    else await draw(data);
  } catch (error) {
    const told = error instanceof Trouble ? error : new Trouble("broken", String(error.message ?? error));
    postMessage({ trouble: told.kind, what: told.what });
  }
};

async function open({ model, runtime, store, size }) {
  size_px = size;
  const [wasm, network] = await Promise.all([kept(runtime, store), kept(model, store)]);
  ort.env.wasm.numThreads = 1; // more would need a host that isolates the page
  ort.env.wasm.wasmBinary = wasm.buffer;
  ort.env.logLevel = "error";
  session = await ort.InferenceSession.create(network, {
    executionProviders: ["wasm"],
    graphOptimizationLevel: "all",
    extra: { session: { disable_quant_qdq: "1" } }, // widen the weights once, not at every glyph
  });
  postMessage({ opened: true });
}

async function draw({ key, source, style }) {
  const begun = performance.now();
  const fed = {
    source: new ort.Tensor("float32", source, [1, 1, size_px, size_px]),
    style: new ort.Tensor("float32", style, [1, style.length]),
  };
  const { ink } = await session.run(fed);
  const drawn_ms = performance.now() - begun;
  postMessage({ key, path: outline(ink.data, size_px), drawn_ms });
}
