// Compiles the CUDA kernels ahead: each family (FAMILY.cu) to PTX that every driver since R470 takes, proven by ptxas for all architectures that
// are promised, and written to resources/cuda with what TypeScript must know of it. Needs nvcc and ptxas of CUDA 13 and g++; users need none of them.
//
//   node main/engine/native/cuda/build.js [FAMILY…]           builds what changed (or the named families)
//   node main/engine/native/cuda/build.js --check             exits 1 when sources and resources/cuda differ; needs no compiler
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { brotliCompressSync, constants } from 'node:zlib';

const run = promisify(execFile);
const HERE = import.meta.dirname;
const OUT = path.resolve(HERE, '../../../../resources/cuda');

/** The PTX that drivers get: instructions of compute capability 8.0, in the oldest version of the language that has them. */
const VIRTUAL = 'compute_80';
const PTX_VERSION = '7.4';
/** What ptxas must accept without spilling registers: Ampere, Ada, Hopper, Blackwell. */
export const ARCHITECTURES = ['sm_80', 'sm_86', 'sm_89', 'sm_90', 'sm_100', 'sm_120'];

const read = (file) => readFileSync(path.join(HERE, file), 'utf8');
export const families = () =>
  readdirSync(HERE)
    .filter((name) => name.endsWith('.cu'))
    .map((name) => name.slice(0, -3))
    .sort();

/** Texts that a family is compiled from: itself and the headers that it includes, through each other. */
function sourcesOf(family) {
  const found = new Map();
  const visit = (file) => {
    const key = path.normalize(file);
    if (found.has(key) || !existsSync(path.join(HERE, key))) return; // the emulator's header is not here
    const text = read(key);
    found.set(key, text);
    for (const [, include] of text.matchAll(/^#include "(.+)"/gm)) visit(path.join(path.dirname(key), include));
  };
  visit(`${family}.cu`);
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1));
}

/** Hash of everything that a family's PTX follows from, but the compiler. */
export function hashOfFamily(family) {
  const hash = createHash('sha256');
  hash.update(`${VIRTUAL} ${PTX_VERSION} ${ARCHITECTURES.join(' ')}\0`);
  for (const [name, text] of sourcesOf(family)) hash.update(`${name}\0${text}\0`);
  return hash.digest('hex');
}

/** Hash of the sources that a family was built from; nothing for one that was not. */
function builtFrom(family) {
  const file = path.join(OUT, `${family}.json`);
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).sources : undefined;
}

/** Families whose committed PTX is not of these sources, and those that have no sources any more. */
export function staleFamilies() {
  const now = families();
  const built = existsSync(OUT) ? readdirSync(OUT).filter((name) => name.endsWith('.json')) : [];
  return {
    stale: now.filter((family) => builtFrom(family) !== hashOfFamily(family)),
    gone: built.map((name) => name.slice(0, -5)).filter((family) => !now.includes(family)),
  };
}

/** Structs, kernels and enums, as the preprocessor finds them in the sources. */
async function describe(family) {
  const { stdout } = await run('g++', ['-E', '-P', '-x', 'c++', '-DDESCRIBE', path.join(HERE, `${family}.cu`)]);
  const parts = [...stdout.matchAll(/@@(enum|args|kernel)\s+(\w+)([^@]*)@@/g)];
  const of = (kind) => parts.filter(([, what]) => what === kind).map(([, , name, rest]) => [name, rest.trim()]);
  const fields = (text) =>
    text
      .split(';')
      .map((field) => field.trim().split(/\s+/))
      .filter(([kind]) => kind !== '')
      .map(([kind, name, more]) => [name, kind, ...(more === undefined ? [] : [kind === 'E' ? more : Number(more)])]);
  return {
    enums: Object.fromEntries(of('enum').map(([name, values]) => [name, values.split(/\s+/)])),
    structs: Object.fromEntries(of('args').map(([name, text]) => [name, fields(text)])),
    kernels: Object.fromEntries(
      of('kernel').map(([name, rest]) => {
        const [struct, threads] = rest.split(/\s+/);
        return [name, { struct, threads: Number(threads) }];
      }),
    ),
  };
}

/** The older language has no such hint, and nothing is lost without it. */
const older = (ptx) =>
  ptx.replace(/^\.version .*$/m, `.version ${PTX_VERSION}`).replace(/^\s*\.pragma "used_bytes_mask.*$\n/gm, '');

/** Registers, stack, spilled and shared bytes of each kernel, as ptxas reports them. @throws where one spills */
async function assemble(family, file, architecture, folder) {
  const cubin = path.join(folder, `${family}.${architecture}.cubin`);
  const { stderr, stdout } = await run('ptxas', ['-v', `-arch=${architecture}`, file, '-o', cubin], {
    maxBuffer: 64 << 20,
  });
  const usage = {};
  let name;
  let spills = 0;
  for (const line of `${stdout}\n${stderr}`.split('\n')) {
    name = /Compiling entry function '(\w+)'/.exec(line)?.[1] ?? name;
    const spill = /(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads/.exec(line);
    if (spill) spills = Number(spill[2]) + Number(spill[3]);
    const registers = /Used (\d+) registers/.exec(line)?.[1];
    if (registers === undefined || name === undefined) continue;
    if (spills > 0) throw new Error(`${family}.cu: ${name} spills ${spills} bytes on ${architecture}`);
    usage[name] = Number(registers);
  }
  return usage;
}

/** Kernels of a template are alike and long: only a window that reaches over several of them sees it. */
const compressed = (text) =>
  brotliCompressSync(text, { params: { [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS } });

async function build(family) {
  const folder = mkdtempSync(path.join(tmpdir(), 'sweeplab-cuda-'));
  try {
    const raw = path.join(folder, `${family}.ptx`);
    await run('nvcc', [`-arch=${VIRTUAL}`, '-std=c++17', '-ptx', path.join(HERE, `${family}.cu`), '-o', raw]);
    const text = `// family ${family}\n${older(readFileSync(raw, 'utf8')).replace(/^\/\/.*\n/gm, '')}`;
    const file = path.join(folder, `${family}.lowered.ptx`);
    writeFileSync(file, text);
    const registers = {};
    for (const architecture of ARCHITECTURES)
      for (const [name, count] of Object.entries(await assemble(family, file, architecture, folder)))
        (registers[name] ??= {})[architecture] = count;
    const { enums, structs, kernels } = await describe(family);
    for (const [name, kernel] of Object.entries(kernels)) {
      if (registers[name] === undefined) throw new Error(`${family}.cu: ptxas says nothing of ${name}`);
      if (!Number.isInteger(kernel.threads)) throw new Error(`${family}.cu: the threads of ${name} are not a number`);
      kernel.registers = registers[name];
    }
    writeFileSync(path.join(OUT, `${family}.ptx.br`), compressed(text));
    const ptx = createHash('sha256').update(text).digest('hex');
    const facts = { sources: hashOfFamily(family), ptx, enums, structs, kernels };
    writeFileSync(path.join(OUT, `${family}.json`), `${JSON.stringify(facts, null, 1)}\n`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function main(args) {
  const { stale, gone } = staleFamilies();
  if (args.includes('--check')) {
    if (stale.length + gone.length === 0) return;
    console.error(`resources/cuda is not of these sources: ${[...stale, ...gone].join(', ')}; run build.js`);
    process.exit(1);
  }
  const wanted = args.length > 0 ? args : stale;
  mkdirSync(OUT, { recursive: true });
  const queue = [...wanted];
  const work = async () => {
    for (let family = queue.shift(); family !== undefined; family = queue.shift()) {
      const began = Date.now();
      await build(family);
      console.log(`${family}: ${((Date.now() - began) / 1000).toFixed(1)} s`);
    }
  };
  await Promise.all(cpus().slice(0, 2).map(work));
  for (const family of gone)
    for (const file of [`${family}.json`, `${family}.ptx.br`]) rmSync(path.join(OUT, file), { force: true });
}

if (process.argv[1] === import.meta.filename) await main(process.argv.slice(2));
