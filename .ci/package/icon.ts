/** The icon as the systems want it, from the one picture that there is. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { initWasm, Resvg } from '@resvg/resvg-wasm';

const SIZES = [16, 32, 48, 64, 128, 256, 512, 1024];

/** PNGs by their size in pixels. */
export type Pictures = ReadonlyMap<number, Uint8Array>;

let ready: Promise<void> | undefined;

export async function iconPictures(svg: string): Promise<Pictures> {
  const wasm = createRequire(import.meta.url).resolve('@resvg/resvg-wasm/index_bg.wasm');
  await (ready ??= readFile(wasm).then((bytes) => initWasm(bytes)));
  return new Map(
    SIZES.map((size) => [size, new Resvg(svg, { fitTo: { mode: 'width', value: size } }).render().asPng()] as const),
  );
}

/** Windows: a directory of PNGs, 0 standing for 256. */
export function icoOf(pictures: Pictures): Buffer {
  const chosen = [...pictures].filter(([size]) => size <= 256);
  const header = Buffer.alloc(6 + 16 * chosen.length);
  header.writeUInt16LE(1, 2);
  header.writeUInt16LE(chosen.length, 4);
  let offset = header.length;
  for (const [i, [size, png]] of chosen.entries()) {
    const at = 6 + 16 * i;
    header[at] = header[at + 1] = size % 256;
    header.writeUInt16LE(1, at + 4);
    header.writeUInt16LE(32, at + 6);
    header.writeUInt32LE(png.length, at + 8);
    header.writeUInt32LE(offset, at + 12);
    offset += png.length;
  }
  return Buffer.concat([header, ...chosen.map(([, png]) => png)]);
}

/** macOS: blocks of a type, a length and a PNG. */
const ICNS = { ic07: 128, ic08: 256, ic09: 512, ic10: 1024 } as const;

export function icnsOf(pictures: Pictures): Buffer {
  const block = (type: string, content: Uint8Array): Buffer => {
    const head = Buffer.alloc(8);
    head.write(type, 'latin1');
    head.writeUInt32BE(8 + content.length, 4);
    return Buffer.concat([head, content]);
  };
  return block('icns', Buffer.concat(Object.entries(ICNS).map(([type, size]) => block(type, pictures.get(size)!))));
}
