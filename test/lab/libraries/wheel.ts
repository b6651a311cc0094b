/** A wheel of cuBLAS as NVIDIA packs it, small, and a server's answer with it. */
import { createHash, randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { ZipFile } from 'yazl';
import type { Wheel } from '../../../main/lab/libraries/wheels.ts';

export const LIBRARY = randomBytes(400_000);
export const LICENCE = 'NVIDIA Software License Agreement\n…\nEnd\n';

/** As NVIDIA packs it: headers, two libraries, the licence among the facts of the package. */
export async function wheelOf(files: Readonly<Record<string, Buffer | string>>): Promise<Buffer> {
  const zip = new ZipFile();
  for (const [path, content] of Object.entries(files)) zip.addBuffer(Buffer.from(content), path);
  zip.end();
  return await buffer(zip.outputStream);
}

export const FILES = {
  'nvidia/cu13/include/cublasLt.h': '/* … */',
  'nvidia/cu13/lib/libcublas.so.13': randomBytes(1000),
  'nvidia/cu13/lib/libcublasLt.so.13': LIBRARY,
  'nvidia_cublas-13.0.dist-info/licenses/License.txt': LICENCE,
  'nvidia_cublas-13.0.dist-info/METADATA': 'Name: nvidia-cublas',
};

export const describeWheel = (bytes: Buffer): Wheel => ({
  major: 13,
  platform: 'linux x64',
  version: '13.0',
  path: 'ab/cd/nvidia_cublas-13.0-py3-none-any.whl',
  bytes: bytes.length,
  sha256: createHash('sha256').update(bytes).digest('hex'),
});

export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** Answers with the wheel, or what of it is asked for. @param cut breaks the connection after so many bytes */
export const serving =
  (bytes: Buffer, cut = Infinity): Handler =>
  ({ headers }, response) => {
    const start = Number(/^bytes=(\d+)-$/u.exec(headers.range ?? '')?.[1] ?? 0);
    const body = bytes.subarray(start);
    response.writeHead(start > 0 ? 206 : 200, {
      etag: '"one"',
      'content-length': body.length,
      ...(start > 0 ? { 'content-range': `bytes ${start}-${bytes.length - 1}/${bytes.length}` } : {}),
    });
    if (body.length <= cut) response.end(body);
    else response.write(body.subarray(0, cut), () => setImmediate(() => response.destroy()));
  };
