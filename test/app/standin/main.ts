/**
 * The program `electron`, played by Node and Chromium: `node main.ts [--user-data-dir=FOLDER] APP`. The built app runs on it as it is. Where
 * it was forked, the process that did so may have functions run here, with the module `electron` as their first value.
 */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire, registerHooks } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { app } from './app.ts';
import * as electron from './electron.ts';
import { listenToPreloads } from './ipc.ts';
import { pressed } from './menu.ts';
import { watchPages, watchRequests } from './network.ts';
import { startChromium, state } from './state.ts';
import { BrowserWindow } from './window.ts';

const own = createRequire(import.meta.url);
const version = (own('electron/package.json') as { version: string }).version;
Object.assign(process.versions, { electron: version });

const userData = process.argv.find((each) => each.startsWith('--user-data-dir='))?.slice('--user-data-dir='.length);
const given = process.argv.slice(2).find((each) => !each.startsWith('-'));
if (given === undefined) throw new Error('Which app? node main.ts [--user-data-dir=FOLDER] APP');

/** As Electron's own program finds an app: a folder with a package, or a file, whose folder then is the app's. */
function findApp(path: string): { readonly folder: string; readonly entry: string; readonly name: string } {
  const manifest = join(path, 'package.json');
  if (!existsSync(manifest)) return { folder: dirname(path), entry: path, name: 'Electron' };
  const {
    main = 'index.js',
    name = 'Electron',
    productName = name,
  } = JSON.parse(readFileSync(manifest, 'utf8')) as {
    main?: string;
    name?: string;
    productName?: string;
  };
  return { folder: path, entry: join(path, main), name: productName };
}

// Electron says so in a dialog or a warning, and goes on.
process.on('uncaughtException', (error) => console.error('A JavaScript error occurred in the main process:', error));
process.on('unhandledRejection', (error) => console.error('Unhandled rejection in the main process:', error));
process.on('SIGTERM', () => app.quit());
process.on('SIGINT', () => app.quit());

const resolveElectron = new URL('electron.ts', import.meta.url).href;
registerHooks({
  resolve: (specifier, context, next) =>
    specifier === 'electron' ? { url: resolveElectron, shortCircuit: true } : next(specifier, context),
});

const { folder, entry, name } = findApp(resolve(given));
app.launch(folder, name, userData);
listenToPreloads((_contents, said) => pressed(said));
await import(pathToFileURL(entry).href);
if (!app.quitting) await start();

async function start(): Promise<void> {
  const program = process.env.SWEEPLAB_CHROMIUM ?? '/usr/bin/chromium';
  const { defaultSession } = electron.session;
  state.permissionsFor = (shown) => defaultSession.permissionsFor(shown);
  const chromium = startChromium(program, join(state.userData, 'chromium'));
  void chromium.gone.then(() => {
    if (!app.quitting) process.exit(1);
  });
  await watchRequests();
  await watchPages(async (opener, target) => {
    const window = new BrowserWindow({ webPreferences: opener.getLastWebPreferences() }, target);
    await window.webContents.ready;
  });
  await defaultSession.watchDownloads();
  if (process.send !== undefined) await meetTest(await chromium.endpoint);
  app.becomeReady();
}

/** Who forked this process sees everything from the beginning: nothing is shown before it says so. */
async function meetTest(endpoint: string): Promise<void> {
  // A test that is gone wants nothing any more.
  process.on('disconnect', () => process.exit(1));
  await new Promise<void>((resolve) => {
    process.on('message', (asked: 'go' | Asked) => {
      if (asked === 'go') resolve();
      else void run(asked);
    });
    process.send!({ endpoint });
  });
}

interface Asked {
  readonly id: number;
  readonly action: string;
  readonly value: unknown;
}

async function run({ id, action, value }: Asked): Promise<void> {
  try {
    // Only the test that started this process speaks here.
    // oxlint-disable-next-line no-eval
    const made = (0, eval)(`(${action})`) as (module: typeof electron, value: unknown) => unknown;
    process.send?.({ id, value: await made(electron, value) });
  } catch (error) {
    process.send?.({ id, error: (error as Error).stack });
  }
}
