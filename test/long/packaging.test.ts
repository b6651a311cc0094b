/** `npm run package -- --dir` from end to end, over a file that has the shape of Electron's program: everything but the program itself is real. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getRawHeader } from '@electron/asar';
import { FuseV1Options, getCurrentFuseWire } from '@electron/fuses';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { contentsOf } from '../../.ci/package/stage.ts';
import { ROOT } from '../../.ci/package/contents.ts';
import { memoryPorts } from '../../preload/contract/port.ts';
import { LabProcess } from '../../main/app/labProcess.ts';
import { spawnLab } from '../../main/app/spawnLab.ts';

const folder = mkdtempSync(join(tmpdir(), 'sweeplab-packaging-'));
afterAll(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));

/** Where Electron's program says what of it is switched off: a mark, a version, how many switches, and each. */
const FUSES = 'dL7pKGdnNz796PbbjQWNKmHXBZaB9tsX\u0001\u0009000000000';

describe.skipIf(process.platform !== 'linux')('packaging', () => {
  let resources: string;
  let program: string;

  beforeAll(() => {
    const electron = join(folder, 'electron');
    mkdirSync(join(electron, 'resources'), { recursive: true });
    const { version } = createRequire(import.meta.url)('electron/package.json') as { version: string };
    for (const [name, text] of Object.entries({ electron: `\u007fELF${FUSES}end`, version, LICENSE: 'licence' }))
      writeFileSync(join(electron, name), text, 'latin1');
    chmodSync(join(electron, 'electron'), 0o755);
    const out = join(folder, 'out');
    const ran = spawnSync(process.execPath, [join(ROOT, '.ci/package/main.ts'), '--dir', '--out', out], {
      env: { ...process.env, ELECTRON_OVERRIDE_DIST_PATH: electron },
      encoding: 'utf8',
    });
    expect(ran.status, ran.stdout + ran.stderr).toBe(0);
    resources = join(out, 'linux-unpacked/resources');
    program = join(out, 'linux-unpacked/sweeplab');
  });

  it('has an archive of what the manifest lists (would catch a filter of the builder that takes something away)', () => {
    const { files } = contentsOf();
    const listed = (place: string): string[] => files.filter((each) => each.place === place).map(({ to }) => to);
    const inArchive = flat(getRawHeader(join(resources, 'app.asar')).header as Node);
    expect(inArchive.sort()).toEqual([...listed('app'), 'package.json'].sort());
    const beside = walk(join(resources, 'lab')).map((path) => path.slice(resources.length + 5));
    expect(beside.sort()).toEqual([...listed('lab'), 'package.json'].sort());
    expect(inArchive).toContain('out/preload/index.cjs');
  });

  it('switches off what could turn the app into an interpreter (statement 9)', async () => {
    const wire = (await getCurrentFuseWire(program)) as unknown as Record<number, number>;
    const on = (option: FuseV1Options): boolean => String.fromCharCode(wire[option]) === '1';
    expect(on(FuseV1Options.RunAsNode)).toBe(false);
    expect(on(FuseV1Options.EnableNodeOptionsEnvironmentVariable)).toBe(false);
    expect(on(FuseV1Options.EnableNodeCliInspectArguments)).toBe(false);
    expect(on(FuseV1Options.GrantFileProtocolExtraPrivileges)).toBe(false);
    expect(on(FuseV1Options.EnableEmbeddedAsarIntegrityValidation)).toBe(true);
    expect(on(FuseV1Options.OnlyLoadAppFromAsar)).toBe(true);
  });

  it('holds the lab that the desktop starts (would catch a place that the app looks for elsewhere)', async () => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const lab = new LabProcess({
      spawn: () =>
        spawnLab({
          node: join(resources, 'node'),
          entry: join(resources, 'lab/main/app/labMain.ts'),
          home: join(folder, 'home'),
        }),
      onFailure: (message) => reject(new Error(message)),
    });
    const [page, port] = memoryPorts();
    page.onMessage(() => resolve());
    lab.connect(port);
    await promise;
    await lab.close();
  });

  it('carries the guide in its pages', () => {
    const pages = walk(join(resources, 'lab/out/renderer')).filter((path) => path.endsWith('.js'));
    const heading = /^# (.+)$/mu.exec(readFileSync(join(ROOT, 'resources/guide/remote.md'), 'utf8'))![1];
    expect(pages.some((path) => readFileSync(path, 'utf8').includes(heading))).toBe(true);
  });
});

interface Node {
  readonly files?: Readonly<Record<string, Node>>;
}
const flat = ({ files = {} }: Node): string[] =>
  Object.entries(files).flatMap(([name, node]) =>
    node.files === undefined ? [name] : flat(node).map((path) => `${name}/${path}`),
  );

const walk = (path: string): string[] =>
  readdirSync(path, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? walk(join(path, entry.name)) : [join(path, entry.name)],
  );
