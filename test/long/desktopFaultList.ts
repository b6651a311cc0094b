/** Faults that are built into the desktop app, one at a time, and the steps of its suite (test/e2e/desktopSteps) of which one has to fail. */

export interface Fault {
  readonly what: string;
  readonly file: string;
  /** What stands in the file, and what in its place. */
  readonly changes: readonly (readonly [from: string, to: string])[];
  /** How the titles of the steps begin, in their order: those that notice it, after those that they build on. */
  readonly steps: readonly string[];
}

type Change = Fault['changes'][number];

const ORIGIN = ['shows the interface from its own origin'];
const CONNECTION = ['gives a page a connection'];
const ELSEWHERE = ['goes nowhere else and opens no window'];
const TRAINS = ['trains in the window'];
const SAVES = [...TRAINS, 'saves pictures, numbers and the sweep'];
const WRITES = [...TRAINS, 'has the lab write what is large'];
const QUITS = ['asks before it quits'];
const RESUMES = [...QUITS, 'goes on with its runs at the next start'];
const OPENS = ['shows the sweep file that it is started with'];

const fault = (what: string, steps: readonly string[], file: string, ...changes: readonly Change[]): Fault => ({
  what,
  file,
  changes,
  steps,
});

export const FAULTS: readonly Fault[] = [
  fault('any sender is heard', ['hears only its own window'], 'main/app/channels.ts', [
    'maySend(event, windows)',
    'true',
  ]),
  fault('the port is not handed over', CONNECTION, 'main/app/channels.ts', ['token, [port2]', 'token']),
  fault('the preload script is looked for elsewhere', ORIGIN, 'main/app/index.ts', [
    'out/preload/index.cjs',
    'out/preload/index.js',
  ]),
  fault('the preload script shares the world of the page', ORIGIN, 'main/app/window.ts', [
    'contextIsolation: true',
    'contextIsolation: false',
  ]),
  fault('downloads are let through', ['downloads nothing by itself'], 'main/app/window.ts', [
    "'will-download', (event) => event.preventDefault()",
    "'will-download', () => {}",
  ]),
  fault('“Saved” over a file that was not written', SAVES, 'main/app/files.ts', [
    'await replaceFile(await realpath(path).catch(() => path), content);',
    '',
  ]),
  fault('what was saved may not be shown', SAVES, 'main/app/channels.ts', [
    'exports.allow(answer.path, false)',
    'void 0',
  ]),
  fault('a page names the folder of a file', WRITES, 'main/app/files.ts', [
    "basename(name.replaceAll('\\\\', '/')).slice(0, 200)",
    'name',
  ]),
  fault('everything is permitted', ['may copy, and is denied all else'], 'main/app/permissionPolicy.ts', [
    'ALLOWED.has(permission) && isOwn(address)',
    'true',
  ]),
  fault(
    'the window goes anywhere',
    ELSEWHERE,
    'main/app/window.ts',
    ["contents.on('will-navigate', stay);", ''],
    ["contents.on('will-frame-navigate', stay);", ''],
  ),
  fault('pages open windows', ELSEWHERE, 'main/app/window.ts', ["{ action: 'deny' }", "{ action: 'allow' }"]),
  fault('links of any kind are opened', ELSEWHERE, 'main/app/window.ts', [
    'if (!mayOpenExternally(address)) return false;',
    '',
  ]),
  fault('no policy is sent', ['runs no script and loads nothing but its own'], 'main/app/protocol.ts', [
    'pageHeaders(contentSecurityPolicy())',
    '{}',
  ]),
  fault('the scheme is not secure', ORIGIN, 'main/app/protocol.ts', ['secure: true', 'secure: false']),
  fault('files outside of the build are served', ['has no page outside of the build'], 'main/app/pages.ts', [
    'await findPageFile(root, new URL(address).pathname)',
    "((await findPageFile(root, new URL(address).pathname)) ?? { path: root + decodeURIComponent(new URL(address).pathname), type: 'text/plain' })",
  ]),
  fault('a place that was chosen once may be written to for ever', WRITES, 'main/app/exportGuard.ts', [
    'this.#chosen.delete(path)',
    'this.#chosen.has(path)',
  ]),
  fault('any answer is a yes', ['asks before pages have a text read'], 'main/app/question.ts', [
    'response === 1',
    'response >= 0',
  ]),
  fault('training ends without a question', QUITS, 'main/app/index.ts', ['lab?.busy === true', 'false']),
  fault('the lab is left behind', QUITS, 'main/app/index.ts', ['await lab?.close();', '']),
  fault('a second start shows nothing', ['is one app however often it is started'], 'main/app/index.ts', [
    'show();\n    openFiles(sweepFilesIn(args.slice(1), folder));',
    '',
  ]),
  fault('the lab is not started again', [...RESUMES, 'finds the lab again'], 'main/app/labProcess.ts', [
    'if (this.#closing === undefined) this.#start();',
    '',
  ]),
  fault('the computer never sleeps again', TRAINS, 'main/app/training.ts', [
    'powerSaveBlocker.stop(this.#blocker);',
    '',
  ]),
  fault('the end of a sweep is not told', TRAINS, 'main/app/index.ts', ['  notification.show();', '']),
  fault('a click on a notification leads nowhere', TRAINS, 'main/app/index.ts', [
    "notification.on('click'",
    "notification.on('close'",
  ]),
  fault('the menu tells the page nothing', ['does what its menu says'], 'main/app/index.ts', [
    'contents?.send(CHANNELS.arrival, arrival)',
    'void 0',
  ]),
  fault('a page that crashed stays white', [...RESUMES, 'shows its page again'], 'main/app/window.ts', [
    'keepShown(window);',
    '',
  ]),
  fault('the place of the window is forgotten', RESUMES, 'main/app/window.ts', [
    'writeWindowState(stateFile,',
    'void (stateFile,',
  ]),
  fault('the bridge has a key too many', ORIGIN, 'preload/index.ts', [
    'exposeInMainWorld(BRIDGE, bridge)',
    'exposeInMainWorld(BRIDGE, { ...bridge, send: ipcRenderer.send })',
  ]),
  fault('the preload script keeps the port', CONNECTION, 'preload/index.ts', ['token }, event.ports)', 'token })']),
  fault('the file of the command line is not opened', OPENS, 'main/app/index.ts', [
    'openFiles(sweepFilesIn(process.argv.slice(1), process.cwd()));',
    '',
  ]),
  fault('a page that loads is told at once', OPENS, 'main/app/index.ts', ['if (loaded) tell();', 'if (true) tell();']),
  fault(
    'the file of a second start is looked for elsewhere',
    [...OPENS, 'shows the file of a second start'],
    'main/app/index.ts',
    ['sweepFilesIn(args.slice(1), folder)', 'sweepFilesIn(args.slice(1), process.cwd())'],
  ),
  fault('files of macOS are not opened', [...OPENS, 'shows what macOS asks for'], 'main/app/index.ts', [
    '.then(() => openFiles([path]))',
    '',
  ]),
];
