/** `sweeplab start` (and `npm start`): the desktop app where it is installed, else the same interface in the browser. */
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { delimiter, dirname, join, resolve } from 'node:path';
import { Command } from 'commander';
import { needsAppBuild, ROOT } from '../../host/buildPages.ts';
import type { Context } from '../context.ts';
import { desktopArguments, desktopBinary } from '../desktop.ts';
import { allowOption, serve } from './serve.ts';
import type { ServeOptions } from './serve.ts';

export function startCommand(context: Context): Command {
  return new Command('start')
    .description('Open Sweeplab: the desktop app where it is installed, else in the browser.')
    .option('--port <n>', 'in the browser: port to listen on')
    .option('--no-open', 'in the browser, but print the address and open none')
    .addOption(allowOption())
    .action((options: ServeOptions) => start(context, options));
}

async function start(context: Context, options: ServeOptions): Promise<void> {
  const binary = options.open && options.port === undefined ? desktopBinary() : undefined;
  if (binary === undefined || !hasDisplay()) return await serve(context, options);
  const { output, workshop } = context;
  if (await needsAppBuild()) {
    output.note('Building the app (about twenty seconds) …');
    if ((await run(process.execPath, [builder(), 'build'], {})) !== 0) {
      output.note('The app cannot be built; what failed stands above.');
      return context.exit(1);
    }
  }
  output.note(`Opening Sweeplab. Runs and models lie in ${workshop.paths.home}`);
  const env = { SWEEPLAB_NODE: process.execPath, SWEEPLAB_HOME: workshop.paths.home, ...allowedFor(options) };
  const code = await run(binary, desktopArguments(), env);
  context.exit(code);
}

/** Handed on as absolute paths: the app has a working folder of its own. */
const allowedFor = ({ allow = [] }: ServeOptions): Readonly<Record<string, string>> => ({
  SWEEPLAB_ALLOW: allow.map((path) => resolve(path)).join(delimiter),
});

function hasDisplay(): boolean {
  const { DISPLAY, WAYLAND_DISPLAY } = process.env;
  return process.platform !== 'linux' || Boolean(DISPLAY) || Boolean(WAYLAND_DISPLAY);
}

function builder(): string {
  const manifest = createRequire(import.meta.url).resolve('electron-vite/package.json');
  return join(dirname(manifest), 'bin', 'electron-vite.js');
}

function run(command: string, args: readonly string[], env: Readonly<Record<string, string>>): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: 'inherit', cwd: ROOT, env: { ...process.env, ...env } });
    child.on('error', reject);
    child.on('exit', (code) => resolve(code ?? 1));
  });
}
