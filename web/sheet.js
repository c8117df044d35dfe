// A text as a picture: where each character stands, and the picture as SVG and PNG.

export const PAPER = "#f7f2e7", INK = "#1b1815", PALE = "#e3dac8";
const PITCH = 0.9; // distance between characters, as a share of the canvas
const LINE = 1.04; // and between lines
const LONGEST = 10; // places in a line, of a Chinese character each; longer ones are parted
const SLACK = 1e-6; // sums of widths are not exact
// A line is not broken within a word, nor before a closing or after an opening mark.
const TOGETHER = /[!-\u024f‘’“”–—]+|[「『（《〈【〔]*[^\s「『（《〈【〔][、。，．：；？！」』）》〉】〕…]*|[「『（《〈【〔]+|\s+/gu;
// In columns: what a Latin word or a number consists of, how it ends and begins, and marks that are not Chinese.
const WORD = String.raw`[\p{Script=Latin}\p{M}\p{Nd}]`;
const WORD_ENDS = new RegExp(`${WORD}[%％‰]?$`, "u"), WORD_BEGINS = new RegExp(`^${WORD}`, "u");
const LATIN_MARKS = /^[^\s\u3000-\u303f\uff00-\uffef]*$/;
const MARGIN = 0.35;
const PNG_LARGEST_PX = 8192;
const NS = "http://www.w3.org/2000/svg";

/** Whether the model draws it. */
export function isHan(char) {
  return /^\p{Script=Han}$/u.test(char) && !"々〇〻".includes(char);
}

/** {width, height, cells: [{char, x, y}], unmarked} in pixels of the model's canvas; `down` writes columns,
 * and `unmarked` tells whether they lost marks. */
export function laidOut(text, down, size_px, advance) {
  const pitch = PITCH * size_px, apart = LINE * pitch, margin = MARGIN * size_px;
  const over = (size_px - pitch) / 2; // of a canvas over its place
  const widthOf = (char) => (down || isHan(char) ? 1 : Math.min(1, advance(char))); // in places
  const lines = parted(text, down, widthOf);
  const cells = [];
  let longest = 0;
  lines.forEach((line, number) => {
    let along = 0;
    for (const char of line) {
      const step = (isHan(char) ? 1 : Math.min(1, advance(char))) * pitch;
      const across = down ? (lines.length - 1 - number) * apart + (pitch - step) / 2 : number * apart;
      if (char.trim()) cells.push({ char, x: (down ? across : along) - over, y: (down ? along : across) - over });
      along += down ? pitch : step;
    }
    longest = Math.max(longest, along);
  });
  const wide = (lines.length - 1) * apart + pitch;
  for (const cell of cells) {
    cell.x += margin;
    cell.y += margin;
  }
  const [width, height] = down ? [wide, longest] : [longest, wide];
  return { width: width + 2 * margin, height: height + 2 * margin, cells, unmarked: down && marksOf(lines.flat().join("")) < marksOf(text) };
}

/** A column goes without punctuation and spaces, as is the custom, but for those within Latin words and
 * numbers and after numbers (%); a space parts words. */
function withoutMarks(line) {
  return line.replace(/[\p{P}\s]+/gu, (run, at) => {
    const percent = /\p{Nd}$/u.test(line.slice(0, at)) ? run.match(/^[%％‰]?/)[0] : "", rest = run.slice(percent.length);
    const within = WORD_ENDS.test(line.slice(0, at) + percent) && WORD_BEGINS.test(line.slice(at + run.length));
    return percent + (!within ? "" : LATIN_MARKS.test(rest) ? rest : " ");
  });
}

function marksOf(text) {
  return text.match(/\p{P}/gu)?.length ?? 0;
}

/** Lines no longer than LONGEST, of about equal length. */
function parted(text, down, widthOf) {
  const lines = text.split(/\r?\n/).map((line) => (down ? withoutMarks(line) : line.trim()));
  return lines.filter(Boolean).flatMap((line) => {
    const parts = down ? [...line] : line.match(TOGETHER), count = Math.ceil(lengthOf(line) / LONGEST);
    let limit = Math.ceil(lengthOf(line) / count), found = filled(parts, limit);
    while (found.length > count && limit < LONGEST) found = filled(parts, ++limit);
    return found;
  });

  function lengthOf(part) {
    return [...part].reduce((sum, char) => sum + widthOf(char), 0);
  }

  /** Parts set one after the other into lines no longer than `limit`, but for a part that is longer. */
  function filled(parts, limit) {
    const found = [""];
    for (const part of parts) {
      if (found.at(-1) && lengthOf(found.at(-1) + part.trimEnd()) > limit + SLACK) found.push("");
      found.push(found.pop() + part);
    }
    return found.map((piece) => [...piece.trim()]).filter((piece) => piece.length);
  }
}

/** An SVG element of a layout; `paths` maps characters to paths, `pale` those still to come. */
export function picture(layout, paths, pale, label) {
  const svg = made("svg", { viewBox: `0 0 ${round(layout.width)} ${round(layout.height)}`, role: "img" });
  const title = svg.appendChild(made("title"));
  title.textContent = label;
  for (const { char, x, y } of layout.cells) {
    const drawn = paths.get(char), path = drawn ?? pale.get(char);
    if (path === undefined) continue;
    const place = { d: path, transform: `translate(${round(x)} ${round(y)})`, class: drawn === undefined ? "pale" : "drawn" };
    svg.appendChild(made("path", place));
  }
  return svg;
}

/** The picture as a file: a string. */
export function svgFile(layout, paths, label, told) {
  const [width, height] = [round(layout.width), round(layout.height)];
  const drawn = layout.cells.filter(({ char }) => paths.get(char));
  const glyphs = drawn.map(({ char, x, y }) => `<path transform="translate(${round(x)} ${round(y)})" d="${paths.get(char)}"/>`);
  return [
    `<svg xmlns="${NS}" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">`,
    `<title>${escaped(label)}</title><desc>${escaped(told)}</desc>`,
    `<rect width="100%" height="100%" fill="${PAPER}"/>`,
    `<g fill="${INK}">`, ...glyphs, "</g></svg>", "",
  ].join("\n");
}

/** The picture as pixels: a Blob, one pixel for each of the model's, or fewer where it is vast. */
export function pngFile(layout, paths) {
  const scale = Math.min(1, PNG_LARGEST_PX / Math.max(layout.width, layout.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(layout.width * scale);
  canvas.height = Math.round(layout.height * scale);
  const context = canvas.getContext("2d");
  context.fillStyle = PAPER;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.fillStyle = INK;
  for (const { char, x, y } of layout.cells) {
    if (!paths.get(char)) continue;
    context.setTransform(scale, 0, 0, scale, x * scale, y * scale);
    context.fill(new Path2D(paths.get(char)));
  }
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}

export function made(name, attributes = {}) {
  const element = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

function escaped(text) {
  return text.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`);
}

function round(value) {
  return Math.round(value * 100) / 100;
}
