// The page without a network: whatever belongs to it is kept under the name of its version.

const STORE = "@store@";
const FILES = ["@files@"];

self.addEventListener("install", (event) => event.waitUntil(keep()));
self.addEventListener("activate", (event) => event.waitUntil(tidy()));
self.addEventListener("fetch", (event) => {
  if (event.request.method === "GET" && new URL(event.request.url).origin === location.origin) {
    event.respondWith(answer(event.request));
  }
});

async function keep() {
  const cache = await caches.open(STORE);
  const missing = [];
  for (const file of FILES) if (!(await cache.match(file))) missing.push(file); // the page keeps the large ones
  await cache.addAll(missing);
  await self.skipWaiting();
}

async function tidy() {
  const old = (await caches.keys()).filter((name) => name.startsWith("calligan-") && name !== STORE);
  await Promise.all(old.map((name) => caches.delete(name)));
  await self.clients.claim();
}

async function answer(request) {
  const cache = await caches.open(STORE);
  return (await cache.match(request, { ignoreSearch: true })) ?? fetch(request);
}
