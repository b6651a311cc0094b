/** This machine, as the search for libraries sees it. */
import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import { promisify } from 'node:util';
import { dataFolder } from '../dataFolder.ts';
import type { Surroundings } from './libraries.ts';

/** A Python that takes longer is passed over. */
const LIMIT_MS = 3000;
/** Isolated: without it a `json.py` in the current folder would be run. */
const QUESTION = [
  '-I',
  '-c',
  'import json, site; print(json.dumps([*site.getsitepackages(), site.getusersitepackages()]))',
];

export const thisMachine = (): Surroundings => ({
  platform: process.platform,
  arch: process.arch,
  env: process.env,
  dataFolder: dataFolder(),
  list,
  sitePackages: remembered,
});

function list(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

const answers = new Map<string, Promise<readonly string[]>>();

/** A Python is asked once in the life of a process. */
function remembered(command: readonly string[]): Promise<readonly string[]> {
  const key = JSON.stringify([command, process.env.PATH]);
  const known = answers.get(key);
  if (known !== undefined) return known;
  const answer = ask(command);
  answers.set(key, answer);
  return answer;
}

async function ask([name, ...options]: readonly string[]): Promise<readonly string[]> {
  const program = onPath(name);
  if (program === undefined) return [];
  try {
    const { stdout } = await promisify(execFile)(program, [...options, ...QUESTION], {
      timeout: LIMIT_MS,
      killSignal: 'SIGKILL',
      windowsHide: true,
    });
    const answer: unknown = JSON.parse(stdout);
    return Array.isArray(answer) ? answer.filter((each) => typeof each === 'string') : [];
  } catch {
    return [];
  }
}

/** Looked up here, because Windows would take a program in the current folder first. */
function onPath(name: string): string | undefined {
  const file = process.platform === 'win32' ? `${name}.exe` : name;
  return (process.env.PATH ?? '')
    .split(delimiter)
    .filter((folder) => isAbsolute(folder))
    .map((folder) => join(folder, file))
    .find((path) => existsSync(path));
}
