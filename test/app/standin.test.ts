/** The stand-in for Electron: it has what the app uses and nothing that Electron lacks, and carries values as structured cloning does. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { makeWire } from './standin/wire.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const FACES: Readonly<Record<string, string>> = {
  'main/app': join(ROOT, 'test/app/standin/electron.ts'),
  preload: join(ROOT, 'test/app/standin/preloadModule.ts'),
};
const sources = [...readdirSync(join(ROOT, 'main/app')).map((name) => `main/app/${name}`), 'preload/index.ts'].filter(
  (name) => /from 'electron'/u.test(readFileSync(join(ROOT, name), 'utf8')),
);

/** What the compiler says of sources whose `electron` is the stand-in. @param added more text at the end of a file */
function problems(added: Readonly<Record<string, string>>): string[] {
  const { config } = ts.readConfigFile(join(ROOT, 'tsconfig.json'), (path) => ts.sys.readFile(path));
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, ROOT, {
    skipLibCheck: true,
    noUnusedLocals: false,
  });
  const host = ts.createCompilerHost(options);
  const read = host.getSourceFile.bind(host);
  // By its path, since a module that a declaration file declares is never looked for elsewhere.
  host.getSourceFile = (path, ...rest) => {
    const name = sources.find((each) => path.endsWith(`/${each}`));
    const face = name === undefined ? undefined : FACES[name.slice(0, name.lastIndexOf('/'))];
    if (name === undefined || face === undefined) return read(path, ...rest);
    const text = readFileSync(path, 'utf8').replaceAll(/(?<=from )'electron'/gu, JSON.stringify(face));
    return ts.createSourceFile(path, `${text}\n${added[name] ?? ''}`, rest[0], true);
  };
  const types = join(ROOT, 'node_modules/electron/electron.d.ts');
  const program = ts.createProgram([...sources.map((name) => join(ROOT, name)), types], options, host);
  return sources
    .map((name) => program.getSourceFile(join(ROOT, name))!)
    .flatMap((file) => [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)])
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, ' '));
}

describe('the stand-in for Electron', () => {
  it('has every call and event that the app uses (would catch a part of the app that nothing here runs)', () => {
    const clipboard = `import { clipboard } from ${JSON.stringify(FACES['main/app'])};`;
    const said = problems({
      'main/app/window.ts': "export const a = (of: BrowserWindow) => { of.setIcon('a'); of.on('moved', () => {}); };",
      'main/app/menu.ts': `${clipboard} export const b = clipboard;`,
      'preload/index.ts': "ipcRenderer.sendSync('a');",
    });
    expect(said).toEqual(
      ['clipboard', 'setIcon', 'moved', 'sendSync'].map((name): unknown => expect.stringContaining(name)),
    );
  });

  it('gives preload scripts what is declared, and no more', () => {
    const text = readFileSync(join(ROOT, 'test/app/standin/page/preload.js'), 'utf8');
    // oxlint-disable-next-line no-new-func
    const run = new Function('globalThis', 'addEventListener', `return ${text.slice(text.indexOf('('))}`) as (
      ...values: unknown[]
    ) => (...values: unknown[]) => void;
    const document = { addEventListener: () => {} };
    let modules: Record<string, object> = {};
    run({ document }, () => {})(
      'secret',
      {},
      { everywhere: true },
      (require: (name: string) => Record<string, object>) => {
        modules = require('electron');
        expect(() => require('node:fs')).toThrow('module not found: node:fs');
      },
    );
    const keys = Object.entries(modules).map(([name, held]) => [name, Object.keys(held).sort()]);
    expect(keys).toEqual([
      ['contextBridge', ['exposeInMainWorld']],
      ['ipcRenderer', ['invoke', 'on', 'send']],
    ]);
  });

  it('carries what can be cloned, and refuses the rest (would catch a message that passes here alone)', () => {
    const { pack, unpack } = makeWire();
    const shared = { n: 1 };
    const circular: Record<string, unknown> = { shared, again: shared };
    circular.self = circular;
    const values = [
      undefined,
      null,
      NaN,
      -0,
      Infinity,
      1n << 70n,
      '𝕏\ud800',
      true,
      [1, null, 3],
      new Date(5),
      /a+/giu,
      new Map([[{ k: 1 }, new Set([1, 'a'])]]),
      new Uint8Array([1, 2, 255]).subarray(1),
      new Float64Array([NaN, -0]),
      new BigInt64Array([1n]),
      new ArrayBuffer(3),
      { ['__proto__']: 1, a: undefined },
      new TypeError('words'),
      circular,
    ];
    for (const value of values) expect(unpack(pack(value))).toEqual(structuredClone(value));
    const back = unpack(pack(circular)) as Record<string, unknown>;
    expect([back.self === back, back.shared === back.again]).toEqual([true, true]);
    class Own {
      field = 1;
      method(): void {}
    }
    expect(Object.getPrototypeOf(unpack(pack(new Own())))).toBe(Object.prototype);
    for (const value of [() => 1, Symbol('a'), { deep: [() => 1] }, Promise.resolve()])
      expect(() => pack(value)).toThrow(expect.objectContaining({ name: 'DataCloneError' }));
  });
});
