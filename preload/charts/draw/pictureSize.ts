/** How large a picture in a file is: as it stands on the screen, or as wide as a column of paper, with letters that can be read there. */

export interface PictureSize {
  /** Of the whole picture, in CSS pixels; as on the screen when absent. */
  readonly width?: number;
  /** Pixels of the file for each of them. */
  readonly scale: number;
}

export const SCREEN: PictureSize = { scale: 2 };

/** What journals print; letters of 11 CSS pixels then have 8 points. */
export const PAPER = [
  { label: 'one column', millimetres: 85 },
  { label: 'two columns', millimetres: 178 },
] as const;

export const DPI = 300;
const CSS_DPI = 96;
const INCH = 25.4;

export const onPaper = (millimetres: number): PictureSize => ({
  width: (millimetres / INCH) * CSS_DPI,
  scale: DPI / CSS_DPI,
});

/** A tall chart would fill the page, and of a flat one nothing could be read. */
const [FLATTEST, TALLEST] = [0.45, 0.75];

/** A chart of the screen made so wide, in about its own shape. */
export function shapedTo(width: number, chart: { readonly width: number; readonly height: number }) {
  const shape = Math.min(TALLEST, Math.max(FLATTEST, chart.height / chart.width));
  return { width: Math.floor(width), height: Math.round(width * shape) };
}

/** Behind a PNG's signature and its first chunk, which is always of this length. */
const BEHIND_HEADER = 33;

/** A PNG that says how large it is on paper; without that, programs take pixels for points. */
export function withDensity(png: Uint8Array, dpi = DPI): Uint8Array<ArrayBuffer> {
  const chunk = new DataView(new ArrayBuffer(21));
  const perMetre = Math.round((dpi / INCH) * 1000);
  chunk.setUint32(0, 9);
  for (const [i, char] of [...'pHYs'].entries()) chunk.setUint8(4 + i, char.charCodeAt(0));
  chunk.setUint32(8, perMetre);
  chunk.setUint32(12, perMetre);
  // Per metre, not a mere ratio.
  chunk.setUint8(16, 1);
  chunk.setUint32(17, crc32(new Uint8Array(chunk.buffer, 4, 13)));
  const marked = new Uint8Array(png.length + chunk.byteLength);
  marked.set(png.subarray(0, BEHIND_HEADER));
  marked.set(new Uint8Array(chunk.buffer), BEHIND_HEADER);
  marked.set(png.subarray(BEHIND_HEADER), BEHIND_HEADER + chunk.byteLength);
  return marked;
}

/** The check sum of PNG's chunks (ISO 3309), bit by bit: of a few bytes. */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return (crc ^ 0xffffffff) >>> 0;
}
