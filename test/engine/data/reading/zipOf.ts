/** ZIP archives made by hand, also odd ones. */
import { crc32, deflateRawSync, zstdCompressSync } from 'node:zlib';

export type Member = readonly [path: string, content: Buffer, method?: number, stored?: Buffer];

/** Local headers, directory, end. */
export function zipOf(members: readonly Member[], flags = 0x800): Buffer {
  const locals: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const [path, content, method = 8, own] of members) {
    const name = Buffer.from(path);
    const data = own ?? (method === 0 ? content : method === 93 ? zstdCompressSync(content) : deflateRawSync(content));
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(20, 0);
    fields.writeUInt16LE(flags, 2);
    fields.writeUInt16LE(method, 4);
    fields.writeUInt32LE(crc32(content), 10);
    fields.writeUInt32LE(data.length, 14);
    fields.writeUInt32LE(content.length, 18);
    fields.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), fields, name, data]);
    const entry = Buffer.alloc(46);
    entry.write('PK\x01\x02', 0, 'latin1');
    fields.copy(entry, 6);
    entry.writeUInt32LE(at, 42);
    directory.push(entry, name);
    locals.push(local);
    at += local.length;
  }
  const list = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 0, 'latin1');
  end.writeUInt16LE(members.length, 8);
  end.writeUInt16LE(members.length, 10);
  end.writeUInt32LE(list.length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...locals, list, end]);
}
