/** `sweeplab setup cuda` against a server of its own, with a small wheel of the same form. */
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { cublasLooks } from '../../../main/engine/executors/cuda/libraries.ts';
import { useDataFolder } from '../../../main/engine/executors/dataFolder.ts';
import { thisMachine } from '../../../main/engine/executors/cuda/surroundings.ts';
import { fetchCublas, keptCublas, wheelFor } from '../../../main/lab/libraries/cublas.ts';
import type { Fetching } from '../../../main/lab/libraries/cublas.ts';
import { WHEELS } from '../../../main/lab/libraries/wheels.ts';
import type { DataProgress } from '../../../preload/contract/shapes.ts';
import { inside } from '../../cli/inside.ts';
import { describeWheel, FILES, LIBRARY, LICENCE, serving, wheelOf } from './wheel.ts';
import type { Handler } from './wheel.ts';

let packed: Buffer;
let server: Server;
let base = '';
let ranges: (string | undefined)[] = [];
let handler: Handler;
let home = '';

beforeAll(async () => {
  packed = await wheelOf(FILES);
  server = createServer((request, response) => {
    ranges.push(request.headers.range);
    handler(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/packages`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'sweeplab-setup-'));
  ranges = [];
  handler = serving(packed);
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(home, { recursive: true, force: true });
});

const options = (more: Partial<Fetching> = {}): Fetching => ({
  wheel: describeWheel(packed),
  home,
  cache: join(home, 'cache'),
  from: base,
  net: { backoffMs: 1, attempts: 3 },
  ...more,
});
const wheels = (): string[] => {
  const folder = join(home, 'cache', 'downloads', 'wheels');
  return existsSync(folder) ? readdirSync(folder) : [];
};
const folder13 = (): string[] => (existsSync(join(home, 'cuda')) ? readdirSync(join(home, 'cuda')) : []);

describe('fetching cuBLASLt', () => {
  it('keeps the library and its licence alone, where the executor finds them first', async () => {
    const seen: DataProgress[] = [];
    const fetched = await fetchCublas(options({ onProgress: (progress) => seen.push(progress) }));
    expect(fetched.licence).toBe(LICENCE);
    // Nothing is put anywhere before the licence is accepted.
    expect(await keptCublas(options())).toBeUndefined();
    const path = await fetched.keep({ onProgress: (progress) => seen.push(progress) });
    expect(readFileSync(path).equals(LIBRARY)).toBe(true);
    expect(readdirSync(join(home, 'cuda', '13')).toSorted()).toEqual([
      'License.txt',
      'libcublasLt.so.13',
      'source.json',
    ]);
    expect(readFileSync(join(home, 'cuda', '13', 'License.txt'), 'utf8')).toBe(LICENCE);
    expect([folder13(), wheels()]).toEqual([['13'], []]);
    expect(await keptCublas(options())).toBe(path);
    expect(seen.at(-1)).toMatchObject({ phase: 'unpack', fraction: 1 });
    expect(seen.find(({ phase }) => phase === 'download')).toMatchObject({ totalBytes: packed.length });
    useDataFolder(home);
    const looks = [];
    for await (const look of cublasLooks({ ...thisMachine(), platform: 'linux', env: {} }, 13)) looks.push(look);
    expect(looks.find(({ state }) => state === 'found')!.path).toBe(path);
  });

  it('goes on where a broken connection, or somebody, stopped it (would catch 400 MB fetched again)', async () => {
    handler = serving(packed, 150_000);
    await expect(fetchCublas(options({ net: { backoffMs: 1, attempts: 1 } }))).rejects.toThrow(
      /connection|terminated/u,
    );
    expect(wheels().filter((name) => name.endsWith('.part'))).toHaveLength(1);
    const cancel = new AbortController();
    const stopped = fetchCublas(
      options({
        signal: cancel.signal,
        onProgress: ({ bytes = 0 }) => {
          if (bytes > 0) cancel.abort();
        },
      }),
    );
    await expect(stopped).rejects.toThrow(/abort/iu);
    expect(await keptCublas(options())).toBeUndefined();
    handler = serving(packed);
    ranges = [];
    const fetched = await fetchCublas(options());
    expect(Number(/^bytes=(\d+)-$/u.exec(ranges[0] ?? '')![1])).toBeGreaterThan(0);
    expect(readFileSync(await fetched.keep()).equals(LIBRARY)).toBe(true);
  });

  it('refuses another file under the name, and keeps nothing of it', async () => {
    handler = serving(Buffer.concat([packed, Buffer.from('x')]));
    await expect(fetchCublas(options())).rejects.toThrow(/wrong checksum/u);
    expect([folder13(), wheels()]).toEqual([[], []]);
  });

  it('removes what the user refuses', async () => {
    await (await fetchCublas(options())).refuse();
    expect([folder13(), wheels()]).toEqual([[], []]);
  });

  it('stopped while it is unpacked leaves no half of a library', async () => {
    const cancel = new AbortController();
    const fetched = await fetchCublas(options({ signal: cancel.signal }));
    await expect(fetched.keep({ onProgress: () => cancel.abort() })).rejects.toThrow(/abort/iu);
    expect(folder13()).toEqual([]);
    // It was fetched: nothing of that is lost.
    expect(readFileSync(await (await fetchCublas(options())).keep()).equals(LIBRARY)).toBe(true);
    expect(ranges).toHaveLength(1);
  });

  it('takes a file, which stays, and no other', async () => {
    const file = join(home, 'given.whl');
    writeFileSync(file, packed);
    const fetched = await fetchCublas(options({ from: file }));
    expect(readFileSync(await fetched.keep()).equals(LIBRARY)).toBe(true);
    expect(existsSync(file)).toBe(true);
    expect(ranges).toEqual([]);
    writeFileSync(file, 'another');
    await expect(fetchCublas(options({ from: file }))).rejects.toThrow(/which is not nvidia_cublas-13\.0/u);
    await expect(fetchCublas(options({ from: join(home, 'none') }))).rejects.toThrow(/cannot be read \(ENOENT\)/u);
  });

  it('says what a wheel lacks', async () => {
    const { 'nvidia/cu13/lib/libcublasLt.so.13': _, ...without } = FILES;
    const bytes = await wheelOf(without);
    handler = serving(bytes);
    const fetched = await fetchCublas(options({ wheel: describeWheel(bytes) }));
    await expect(fetched.keep()).rejects.toThrow('holds no libcublasLt.so.13');
  });

  it('has a wheel for each CUDA that the executor knows, and says so for other machines', () => {
    expect(wheelFor(13, 'linux x64').sha256).toMatch(/^[0-9a-f]{64}$/u);
    expect(wheelFor(12, 'win32 x64').path).toContain('win_amd64');
    expect(() => wheelFor(11, 'linux x64')).toThrow('--cuda is 11; allowed: 13 and 12');
    expect(() => wheelFor(13, 'darwin arm64')).toThrow('there is no cuBLAS to fetch for darwin arm64');
    for (const { path, bytes, sha256, version, major } of WHEELS) {
      expect(path).toMatch(new RegExp(`^[0-9a-f]{2}/[0-9a-f]{2}/[0-9a-f]{60}/nvidia_cublas.*-${version}-`, 'u'));
      expect(version.startsWith(`${major}.`)).toBe(true);
      expect(bytes).toBeGreaterThan(1e8);
      expect(sha256).toMatch(/^[0-9a-f]{64}$/u);
    }
  });
});

describe.skipIf(process.platform !== 'linux' || process.arch !== 'x64')('sweeplab setup cuda', () => {
  /** The list of wheels is what it is: the first line of it becomes the small one. */
  function withSmallWheel(): void {
    const first = WHEELS.find(({ major, platform }) => major === 13 && platform === 'linux x64')!;
    const before = { ...first };
    Object.assign(first, describeWheel(packed));
    restore = () => Object.assign(first, before);
  }
  let restore = (): unknown => undefined;
  beforeEach(withSmallWheel);
  afterEach(() => restore());
  const setup = (...more: string[]) => ['setup', 'cuda', '--cuda', '13', '--from', base, ...more];

  it('shows the licence and asks (would catch a library that is kept unasked)', async () => {
    const refused = await inside(home, setup(), { input: 'n\n' });
    expect(refused).toMatchObject({ code: 0, stdout: expect.stringContaining(LICENCE) });
    expect(refused.stdout).toContain('Nothing was kept.');
    expect([folder13(), wheels()]).toEqual([[], []]);
    // Nobody to ask is no yes.
    expect((await inside(home, setup(), { input: '' })).stdout).toContain('Nothing was kept.');
    const { code, stdout } = await inside(home, setup(), { input: 'y\n' });
    expect([code, stdout]).toEqual([0, expect.stringContaining('cuda/eula')]);
    expect(stdout).toContain(`Ready: ${join(home, 'cuda', '13', 'libcublasLt.so.13')}`);
    expect((await inside(home, setup())).stdout).toContain('is there already');
  });

  it('is accepted beforehand with --yes, and tells machines', async () => {
    const { code, stdout } = await inside(home, setup('--yes', '--json'));
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      kept: true,
      library: join(home, 'cuda', '13', 'libcublasLt.so.13'),
      major: 13,
      version: '13.0',
    });
  });

  it('refuses what there is not', async () => {
    mkdirSync(join(home, 'x'));
    expect(await inside(home, ['setup', 'cuda', '--cuda', '11'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--cuda is 11; allowed: 13 and 12'),
    });
    expect((await inside(home, ['setup', 'cuda', '--from', join(home, 'x'), '--yes'])).code).toBe(2);
  });
});
