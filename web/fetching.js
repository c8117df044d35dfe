// Large files: fetched once, checked, unpacked, and kept for later visits.

import { STORE } from "./files.js";

/** What a reader of the page is told: a kind of words.js, and what it is about. */
export class Trouble extends Error {
  constructor(kind, what) {
    super(`${kind}: ${what}`);
    Object.assign(this, { kind, what });
  }
}

/** What is in `{name, sha256}`, a gzip file beside the page. */
export async function kept({ name, sha256 }) {
  const cache = globalThis.caches ? await caches.open(STORE) : null; // only where pages are secure
  let response = await cache?.match(name);
  if (!response) {
    response = await fetched(name);
    await cache?.put(name, response.clone()).catch(() => {}); // no room: it is fetched again
  }
  try {
    return await unpacked(new Uint8Array(await response.arrayBuffer()), sha256);
  } catch {
    await cache?.delete(name);
    throw new Trouble("damaged", name);
  }
}

async function fetched(name) {
  try {
    const response = await fetch(name);
    if (response.ok) return response;
  } catch {
    // said below
  }
  throw new Trouble("failed", name);
}

async function unpacked(bytes, sha256) {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes; // the server had it unpacked
  if (globalThis.crypto?.subtle && (await digest(bytes)) !== sha256) throw new Error("checksum");
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

async function digest(bytes) {
  const found = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return [...found].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
