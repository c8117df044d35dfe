// What a browser must have, asked in old JavaScript: where it lacks something, this says so.
(function () {
  "use strict";
  // A function that splats a number over a vector, and drops it: valid where there is SIMD.
  var simd = [0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 10, 9, 1, 7, 0, 65, 0, 253, 15, 26, 11];
  function lacking() {
    if (location.protocol === "file:") return "file";
    if (typeof WebAssembly !== "object" || !WebAssembly.validate(new Uint8Array(simd))) return "simd";
    if (typeof DecompressionStream !== "function" || typeof Worker !== "function") return "old";
    return "";
  }
  var words = {
    file: "此页须由网页服务器提供：在此文件夹里运行 python3 -m http.server，再打开 http://localhost:8000。 · " +
      "This page must be served: run python3 -m http.server in this folder, then open http://localhost:8000.",
    simd: "此浏览器没有 WebAssembly SIMD，写不了字；请用 2021 年以后的 Chrome、Edge、Firefox，或 Safari 16.4 以后的版本。 · " +
      "This browser has no WebAssembly SIMD and cannot draw; use Chrome, Edge or Firefox of 2021 or later, or Safari 16.4 or later.",
    old: "此浏览器太旧，写不了字；请更新。 · This browser is too old to draw; please update it."
  };
  window.calliganLacks = lacking();
  if (!window.calliganLacks) return;
  document.addEventListener("DOMContentLoaded", function () {
    var place = document.getElementById("trouble");
    place.textContent = words[window.calliganLacks];
    place.hidden = false;
    document.documentElement.className = "broken";
  });
})();
