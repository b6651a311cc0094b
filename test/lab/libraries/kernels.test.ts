/** `sweeplab setup native` against a server of its own, which has the files of a release as the workflow makes them. */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { loadNative } from '../../../main/engine/native/addon.ts';
import { CHECKSUMS, releasedAddon } from '../../../main/engine/native/released.ts';
import { hashOfSources } from '../../../main/engine/native/sources.js';
import { sha256 } from '../../../main/files/whole.ts';
import { fetchKernels } from '../../../main/lab/libraries/kernels.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const NATIVE = join(ROOT, 'main/engine/native');
const { reason } = loadNative();

describe.skipIf(reason !== undefined)(
  `fetching native kernels${reason === undefined ? '' : ` (skipped: ${reason})`}`,
  () => {
    const home = mkdtempSync(join(tmpdir(), 'sweeplab-kernels-'));
    const release = join(home, 'release');
    /** The native sources of a checkout in which nothing was built. */
    const folder = join(home, 'native');
    const asked: string[] = [];
    let server: Server;
    let from = '';
    let name = '';

    beforeAll(async () => {
      const made = spawnSync(
        process.execPath,
        ['--disable-warning=ExperimentalWarning', join(ROOT, '.ci/package/kernels.ts'), release],
        { encoding: 'utf8' },
      );
      expect(made.status, made.stderr).toBe(0);
      name = basename(made.stdout.trim());
      const [list] = readdirSync(release).filter((each) => each.startsWith(CHECKSUMS));
      renameSync(join(release, list), join(release, CHECKSUMS));
      server = createServer(({ url = '' }, response) => {
        asked.push(basename(url));
        const file = join(release, basename(url));
        if (existsSync(file)) response.end(readFileSync(file));
        else response.writeHead(404).end();
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      from = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/`;
    });
    afterAll(() => {
      server.closeAllConnections();
      server.close();
      rmSync(home, { recursive: true, force: true });
    });
    beforeEach(() => {
      rmSync(folder, { recursive: true, force: true });
      cpSync(NATIVE, folder, { recursive: true, filter: (path) => path === NATIVE || /\.(?:cc|h|gyp)$/u.test(path) });
      asked.length = 0;
    });

    const cache = join(home, 'cache');
    const fetchFrom = (place: string): Promise<string> =>
      fetchKernels({ from: place, cache, folder, net: { backoffMs: 1, attempts: 2 } });
    const addon = join(folder, 'build/Release/sweeplab.node');
    const nothingKept = (): void => {
      const built = join(folder, 'build/Release');
      expect(existsSync(built) ? readdirSync(built) : []).toEqual([]);
    };

    it('puts the file of this system and these sources where a build puts it', async () => {
      expect(name).toBe(releasedAddon(process.platform, process.arch, hashOfSources(NATIVE)!));
      expect(await fetchFrom(from)).toBe(addon);
      expect(readFileSync(addon).equals(readFileSync(join(release, name)))).toBe(true);
      expect(readdirSync(join(folder, 'build/Release'))).toEqual(['sweeplab.node']);
      expect(asked).toEqual([CHECKSUMS, name]);
      // What was fetched is where it belongs, and nowhere else.
      expect(readdirSync(join(cache, 'downloads/kernels'))).toEqual([]);
    });

    it('fetches nothing of a release of other sources (would catch kernels that read other records)', async () => {
      writeFileSync(join(folder, 'more.h'), '// More');
      await expect(fetchFrom(from)).rejects.toThrow(
        new RegExp(`has no sweeplab-kernels-.*; it has ${name.replaceAll('.', '\\.')}\\..*npm run build:native`, 'u'),
      );
      expect(asked).toEqual([CHECKSUMS]);
      // Nor where the file is named.
      await expect(fetchFrom(join(release, name))).rejects.toThrow(/cannot be used here: .*built from other sources/u);
      nothingKept();
    });

    it('refuses what has not the checksum of the release, or does not load (would catch half a file)', async () => {
      const whole = readFileSync(join(release, name));
      const sums = readFileSync(join(release, CHECKSUMS), 'utf8');
      const half = whole.subarray(0, 1000);
      writeFileSync(join(release, name), half);
      try {
        await expect(fetchFrom(from)).rejects.toThrow(/wrong checksum/u);
        nothingKept();
        writeFileSync(join(release, CHECKSUMS), `${sha256(half)}  ${name}\n`);
        await expect(fetchFrom(from)).rejects.toThrow(/cannot be used here: ./u);
        nothingKept();
      } finally {
        writeFileSync(join(release, name), whole);
        writeFileSync(join(release, CHECKSUMS), sums);
      }
      await expect(fetchFrom(join(release, 'none.node'))).rejects.toThrow(
        /--from is .*none\.node, which cannot be read/u,
      );
      expect(await fetchFrom(join(release, name))).toBe(addon);
    });

    it('has nothing to fetch for a package, which carries its kernels', async () => {
      rmSync(join(folder, 'binding.gyp'));
      await expect(fetchFrom(from)).rejects.toThrow(/a package of the desktop app carries its kernels/u);
      expect(asked).toEqual([]);
    });
  },
);
