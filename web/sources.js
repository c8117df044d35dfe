// The machine's Chinese fonts, and characters drawn from one as the model is shown them.

// Best first: those that the bundle was trained with; of others 楷, nearest to writing, then 宋, then
// 黑. After what is shown, names as fonts tell them of themselves.
const KNOWN = [
  ["LXGW WenKai 霞鹜文楷", "LXGW WenKai", "LXGWWenKai-Regular", "LXGWWenKaiGB-Regular"],
  ["AR PL KaitiM GB", "GBZenKai-Medium"],
  ["思源宋体", "NotoSerifCJKsc-Regular", "NotoSerifSC-Regular", "SourceHanSerifSC-Regular", "Noto Serif SC"],
  ["思源黑体", "NotoSansCJKsc-Regular", "NotoSansSC-Regular", "SourceHanSansSC-Regular", "Noto Sans SC"],
  ["AR PL SungtiL GB", "BousungEG-Light-GB"],
  ["楷体", "KaiTi", "STKaitiSC-Regular", "STKaiti", "Kaiti SC"],
  ["AR PL UKai", "AR PL UKai CN", "UKaiCN"],
  ["TW-Kai", "TW-Kai-98_1"],
  ["宋体", "STSongti-SC-Regular", "SimSun", "STSong"],
  ["AR PL UMing", "AR PL UMing CN", "UMingCN"],
  ["苹方", "PingFangSC-Regular"],
  ["微软雅黑", "Microsoft YaHei", "MicrosoftYaHei"],
  ["黑体", "STHeitiSC-Medium", "SimHei"],
  ["文泉驿", "WenQuanYi Micro Hei", "WenQuanYiMicroHei", "WenQuanYi Zen Hei", "WenQuanYiZenHei"],
];
const PROBES = ["永书龙国", "永書龍國", "永書龍国"]; // Simplified, Traditional, Japanese: different pictures, where a font has them
const BLANK = "blank"; // a font whose every character is blank, so that the browser looks in no other
const ABSENT = "\u{3fffd}"; // assigned to nothing: fonts draw their box for it
const BOX_EM_PX = 128; // at which a font is measured
const ABOVE = 2; // a canvas is drawn so many times as large, and averaged: plain coverage

let loaded = 0;

/** The fonts that are here, best first, the default (label "") last; ask each whether it writesChinese. */
export async function machineFonts(sample, placement) {
  await loadBlank();
  const found = (await Promise.all(KNOWN.map(([label, ...names]) => local(label, names)))).filter(Boolean);
  found.push({ label: "", family: "sans-serif" });
  return found.map((font) => new Source(font.label, font.family, sample, placement));
}

/** A font file that somebody opened. Throws where it is no font, or holds no Chinese. */
export async function openedFont(file, sample, placement) {
  const face = new FontFace(`opened-${loaded++}`, await file.arrayBuffer());
  document.fonts.add(await face.load());
  const source = new Source(file.name.replace(/\.\w+$/, ""), `"${face.family}"`, sample, placement);
  if (!source.writesChinese()) throw new Error("no Chinese characters");
  return source;
}

async function loadBlank() {
  try {
    document.fonts.add(await new FontFace(BLANK, "url(blank.ttf)").load());
  } catch {
    return; // a browser that refuses it, or no network: what a font lacks is drawn from another then
  }
}

async function local(label, names) {
  const family = `local-${loaded++}`;
  try {
    const face = new FontFace(family, names.map((name) => `local("${name}")`).join(","));
    document.fonts.add(await face.load());
    return { label, family: `"${family}"` };
  } catch {
    return null; // not on this machine
  }
}

/** A font, placed so that its median glyph has the wanted extent and sits in the middle. */
class Source {
  constructor(label, family, sample, { size_px, extent, reach }) {
    Object.assign(this, { id: loaded++, label, family, sample, size_px, extent, reach });
    this.drawn_from = label ? `${family}, ${BLANK}` : family; // the default is several fonts
    this.em_px = 0.8 * size_px;
    this.x_px = 0.1 * size_px;
    this.baseline_px = 0.8 * size_px;
    this.canvas = document.createElement("canvas");
    this.canvas.width = this.canvas.height = ABOVE * size_px;
    this.canvas.lang = "zh-Hans";
    this.context = this.canvas.getContext("2d", { willReadFrequently: true });
    this.context.textRendering = "geometricPrecision"; // without hinting
  }

  /** Ink of a character, Float32Array of size_px x size_px, 0 to 1; nothing else is drawn. */
  ink(char) {
    const { context, size_px } = this, across = ABOVE * size_px;
    context.clearRect(0, 0, across, across);
    context.font = `${ABOVE * this.em_px}px ${this.drawn_from}`;
    context.fillText(char, ABOVE * this.x_px, ABOVE * this.baseline_px);
    const pixels = context.getImageData(0, 0, across, across).data;
    const ink = new Float32Array(size_px * size_px);
    for (let y = 0; y < across; y++) {
      const row = Math.floor(y / ABOVE) * size_px;
      for (let x = 0; x < across; x++) ink[row + Math.floor(x / ABOVE)] += pixels[4 * (y * across + x) + 3];
    }
    return ink.map((sum) => sum / (255 * ABOVE * ABOVE));
  }

  /** Whether it has a character: what it lacks is blank, or the box drawn for what is absent. */
  has(char) {
    const picture = this.ink(char);
    this.absent ??= this.ink(ABSENT);
    return picture.some((ink) => ink > 0) && !alike(picture, this.absent);
  }

  /** Whether it draws Chinese characters of one kind of writing, each its own. */
  writesChinese() {
    this.writes ??= PROBES.some((probe) => this.drawsEach(probe));
    return this.writes;
  }

  /** Whether it has more than Simplified characters. */
  writesTraditional() {
    return PROBES.slice(1).some((probe) => this.drawsEach(probe));
  }

  drawsEach(probe) {
    const pictures = [...probe].map((char) => this.ink(char));
    const different = pictures.every((one, i) => pictures.slice(i + 1).every((other) => !alike(one, other)));
    return different && [...probe].every((char) => this.has(char));
  }

  /** Itself, placed: the first time it is asked for. */
  placed() {
    if (this.placed_by === this.sample) return this;
    const boxes = [...this.sample].map((char) => this.box(char)).filter(Boolean);
    const x = median(boxes.map((box) => (box.left + box.right) / 2));
    const y = median(boxes.map((box) => (box.bottom + box.top) / 2));
    const extent = median(boxes.map((box) => Math.max(box.right - box.left, box.top - box.bottom)));
    const reaches = boxes.map((box) => Math.max(box.right - x, x - box.left, box.top - y, y - box.bottom));
    const share = Math.min(this.extent / extent, this.reach / 2 / quantile(reaches, 0.99));
    this.em_px = share * this.size_px;
    this.x_px = this.size_px / 2 - x * this.em_px;
    this.baseline_px = this.size_px / 2 + y * this.em_px;
    this.absent = undefined;
    this.placed_by = this.sample;
    return this;
  }

  /** Where a character's ink lies, in ems, y upward from the baseline; null where there is none. */
  box(char) {
    const { context } = this, em = BOX_EM_PX, across = 2 * em;
    context.clearRect(0, 0, across, across);
    context.font = `${em}px ${this.drawn_from}`;
    context.fillText(char, em / 2, 1.5 * em);
    const pixels = context.getImageData(0, 0, across, across).data;
    const columns = new Uint8Array(across), rows = new Uint8Array(across);
    for (let y = 0, at = 3; y < across; y++) {
      for (let x = 0; x < across; x++, at += 4) {
        if (pixels[at] > columns[x]) columns[x] = pixels[at];
        if (pixels[at] > rows[y]) rows[y] = pixels[at];
      }
    }
    if (!rows.some(Boolean)) return null;
    const [left, right] = ends(columns), [top, bottom] = ends(rows);
    return { left: left / em - 0.5, right: right / em - 0.5, top: 1.5 - top / em, bottom: 1.5 - bottom / em };
  }

  /** How far the pen goes on after a character, in ems. */
  advance_em(char) {
    this.context.font = `1000px ${this.drawn_from}`;
    return this.context.measureText(char).width / 1000;
  }
}

/** Where ink begins and ends: a pixel's ink tells how much of it is covered. */
function ends(most) {
  const first = most.findIndex(Boolean), last = most.findLastIndex(Boolean);
  return [first + 1 - most[first] / 255, last + most[last] / 255];
}

function alike(one, other) {
  return one.every((ink, i) => Math.abs(ink - other[i]) < 0.02);
}

function median(values) {
  return quantile(values, 0.5);
}

/** Linear between the two nearest values. */
function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  const at = share * (sorted.length - 1), below = Math.floor(at);
  return sorted[below] + (at - below) * ((sorted[below + 1] ?? sorted[below]) - sorted[below]);
}
