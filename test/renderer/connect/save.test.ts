/** Saving from a page, over a stand-in of the desktop's bridge and without one. */
import { createPinia, setActivePinia } from 'pinia';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Bridge } from '../../../preload/contract/bridge.ts';
import { BRIDGE, BRIDGE_KEYS } from '../../../preload/contract/bridge.ts';
import { onArrival } from '../../../renderer/connect/arrivals.ts';
import { chooseFile, showFile } from '../../../renderer/connect/files.ts';
import { exportRuns } from '../../../renderer/stores/exportRuns.ts';
import { save } from '../../../renderer/stores/save.ts';
import { useToasts } from '../../../renderer/stores/toasts.ts';
import { testLab } from '../stores/support.ts';

const FORMAT = { name: 'odd', label: 'Odd', help: 'One.', extensions: ['odd', 'o'], options: [] } as const;

const messages = () => useToasts().toasts.map(({ level, message }) => `${level}: ${message}`);

beforeEach(() => setActivePinia(createPinia()));
afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

describe('in the desktop app', () => {
  function desktop(answer: Awaited<ReturnType<Bridge['saveFile']>>) {
    const calls: { [K in keyof Bridge]: unknown[][] } = { connect: [], saveFile: [], chooseFile: [], showFile: [] };
    const note =
      <T>(key: keyof Bridge, value: T) =>
      (...values: unknown[]): T => {
        calls[key].push(values);
        return value;
      };
    const own: Bridge = {
      connect: note('connect', undefined),
      saveFile: note('saveFile', Promise.resolve(answer)),
      chooseFile: note('chooseFile', Promise.resolve('/home/a/all.csv')),
      showFile: note('showFile', Promise.resolve(false)),
    };
    expect(Object.keys(own).sort()).toEqual([...BRIDGE_KEYS].sort());
    vi.stubGlobal('window', { [BRIDGE]: own });
    return calls;
  }

  it('hands name, kind and bytes over, and says where it lies (would catch a toast before the answer)', async () => {
    const calls = desktop({ path: '/home/a/val-loss.svg' });
    expect(await save('val/loss.svg', 'image/svg+xml', async () => new Blob(['<svg>é</svg>']))).toBe(true);
    const [[choice, bytes]] = calls.saveFile;
    expect(choice).toEqual({ name: 'val-loss.svg', filters: [{ name: 'Picture (SVG)', extensions: ['svg'] }] });
    expect(new TextDecoder().decode(bytes as Uint8Array)).toBe('<svg>é</svg>');
    expect(messages()).toEqual(['good: Saved val-loss.svg']);
    const [toast] = useToasts().toasts;
    expect(toast.details).toBe('/home/a/val-loss.svg');
    await toast.action!.run();
    expect(calls.showFile).toEqual([['/home/a/val-loss.svg']]);
    expect(messages().at(-1)).toBe('warn: val-loss.svg is no longer where it was saved');
  });

  it('names the file of a Windows path', async () => {
    desktop({ path: 'C:\\Users\\a\\x.csv' });
    await save('x.csv', 'text/csv', 'a\n');
    expect(messages()).toEqual(['good: Saved x.csv']);
  });

  it('says nothing when the dialog was closed (would catch "Saved" for nothing)', async () => {
    desktop(null);
    expect(await save('a.yaml', 'text/yaml', 'a: 1\n')).toBe(false);
    expect(messages()).toEqual([]);
  });

  it('offers the name by which the system opens a sweep with the app', async () => {
    const calls = desktop(null);
    await save('a.yaml', 'text/yaml', 'a: 1\n');
    const [[choice]] = calls.saveFile;
    expect((choice as { filters: { extensions: string[] }[] }).filters.map(({ extensions }) => extensions)).toEqual([
      ['yaml'],
      ['sweeplab'],
    ]);
  });

  it('says what stood in the way, in the words of the desktop', async () => {
    desktop({ problem: 'There is no room left for a.csv in /home/a; nothing was written.' });
    expect(await save('a.csv', 'text/csv', 'a\n')).toBe(false);
    expect(messages()).toEqual([
      'bad: a.csv was not saved: There is no room left for a.csv in /home/a; nothing was written.',
    ]);
  });

  it('says when what was to be saved could not be made', async () => {
    const calls = desktop({ path: '/never' });
    const draw = (): Promise<Blob> => Promise.reject(new Error('The picture is too large.'));
    expect(await save('a.png', 'image/png', draw)).toBe(false);
    expect(messages()).toEqual(['bad: a.png was not saved: The picture is too large.']);
    expect(calls.saveFile).toEqual([]);
  });

  it('has the lab write runs where the dialog says (would catch an export that the page downloads)', async () => {
    const lab = testLab({ 'export.runs': () => ({ url: null, name: '/home/a/all.csv', bytes: 3 }) });
    const calls = desktop(null);
    vi.setSystemTime('2026-03-04T12:00:00Z');
    expect(await exportRuns(FORMAT, ['r1', 'r2'], 'my sweep: 1')).toBe(true);
    // As a browser downloads it.
    expect(calls.chooseFile).toEqual([
      [{ name: 'my-sweep-1-2026-03-04.odd', filters: [{ name: 'ODD', extensions: ['odd'] }] }],
    ]);
    const input = { runs: ['r1', 'r2'], format: 'odd', name: 'my sweep: 1', path: '/home/a/all.csv' };
    expect(lab.calls).toEqual([{ route: 'export.runs', input }]);
    expect(messages()).toEqual(['good: Saved all.csv']);
    delete lab.routes['export.runs'];
    expect(await exportRuns(FORMAT, [], 'a')).toBe(false);
    expect(messages().at(-1)).toBe('bad: a-2026-03-04.odd was not written: no answer to export.runs');
  });

  it('gives the lab a path that was chosen', async () => {
    const calls = desktop(null);
    expect(await chooseFile('all.csv')).toBe('/home/a/all.csv');
    expect(calls.chooseFile).toEqual([[{ name: 'all.csv', filters: [{ name: 'Table (CSV)', extensions: ['csv'] }] }]]);
  });

  it('takes commands and paths of its own window only (would catch a menu that does nothing)', () => {
    const listeners = new Set<(event: unknown) => void>();
    const page = {
      addEventListener: (_name: string, listener: (event: unknown) => void) => listeners.add(listener),
      removeEventListener: (_name: string, listener: (event: unknown) => void) => listeners.delete(listener),
    };
    vi.stubGlobal('window', page);
    const heard: string[] = [];
    const stop = onArrival({
      command: (id) => heard.push(`command ${id}`),
      path: (path) => heard.push(`path ${path}`),
      open: (name, text) => heard.push(`open ${name} ${text}`),
    });
    const tell = (data: unknown, source: unknown = page): void => {
      for (const listener of listeners) listener({ data, source });
    };
    tell({ type: 'sweeplab:command', id: 'sweep.new' });
    tell({ type: 'sweeplab:path', path: '/run/1' });
    tell({ type: 'sweeplab:open', name: 'a.sweeplab', text: 'seeds: 2' });
    tell({ type: 'sweeplab:command', id: 'stranger' }, {});
    for (const data of [null, 'text', {}, { type: 'other' }]) tell(data);
    expect(heard).toEqual(['command sweep.new', 'path /run/1', 'open a.sweeplab seeds: 2']);
    stop();
    expect(listeners.size).toBe(0);
  });
});

describe('in a browser', () => {
  it('begins a download and leaves the word to the browser', async () => {
    const clicked: unknown[] = [];
    const link = { href: '', download: '', click: () => clicked.push([link.href, link.download]) };
    vi.stubGlobal('window', {});
    vi.stubGlobal('document', { createElement: () => link });
    expect(await save('run 1: lr = 0.1.csv', 'text/csv', 'a\n')).toBe(true);
    expect(clicked).toEqual([[expect.stringMatching(/^blob:/u), 'run-1-lr-0.1.csv']]);
    expect(messages()).toEqual([]);
    testLab({ 'export.runs': () => ({ url: 'download/abc', name: 'a-2026-01-01.odd', bytes: 3 }) });
    expect(await exportRuns(FORMAT, ['r1'], 'a')).toBe(true);
    expect(clicked.at(-1)).toEqual(['download/abc', 'a-2026-01-01.odd']);
    expect(messages()).toEqual([]);
    expect(await chooseFile('all.csv')).toBeUndefined();
    expect(await showFile('/etc/passwd')).toBe(false);
  });
});
