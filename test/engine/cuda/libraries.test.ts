import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { cublasLooks, driverLooks, firstThatLoads } from '../../../main/engine/executors/cuda/libraries.ts';
import type { Look, Surroundings } from '../../../main/engine/executors/cuda/libraries.ts';
import { thisMachine } from '../../../main/engine/executors/cuda/surroundings.ts';

interface MadeUp extends Partial<Surroundings> {
  /** Whole paths of the files on it. */
  readonly files?: readonly string[];
}

/** A machine with nothing but what is said. Windows does not tell letters by their case. */
function machine({ files = [], ...given }: MadeUp): Surroundings {
  const { platform = 'linux' } = given;
  const same = (path: string): string =>
    platform === 'win32' ? path.replaceAll('/', '\\').replace(/\\+$/u, '').toLowerCase() : path.replace(/\/+$/u, '');
  const separator = platform === 'win32' ? '\\' : '/';
  return {
    platform,
    arch: 'x64',
    env: {},
    list: (folder) => {
      const start = same(folder) + separator;
      const inside = files.map((file) => (platform === 'win32' ? file.replaceAll('/', '\\') : file));
      const names = inside
        .filter((file) => same(file).startsWith(start))
        .map((file) => file.slice(start.length).split(separator)[0]);
      return [...new Set(names)];
    },
    sitePackages: () => Promise.resolve([]),
    ...given,
  };
}

async function all(looks: AsyncIterable<Look>): Promise<Look[]> {
  const list: Look[] = [];
  for await (const look of looks) list.push(look);
  return list;
}
const usable = async (here: Surroundings, driver: number | null): Promise<string[]> =>
  (await all(cublasLooks(here, driver))).filter(({ state }) => state === 'found').map(({ path }) => path);

/** What a Linux loader finds by name alone comes after environments and before toolkits. */
const BY_NAME = ['libcublasLt.so.13', 'libcublasLt.so.12'];

describe("the driver's library", () => {
  it('is asked of the loader on Linux, then where WSL, NixOS and containers keep it', () => {
    const here = machine({ files: ['/usr/lib/wsl/lib/libcuda.so.1', '/opt/first/libcuda.so.1'] });
    expect([...driverLooks(here)].map(({ path, state }) => [path, state])).toEqual([
      ['libcuda.so.1', 'found'],
      ['/usr/lib/wsl/lib/libcuda.so.1', 'found'],
      ['/run/opengl-driver/lib', 'absent'],
      ['/usr/local/nvidia/lib64', 'absent'],
    ]);
    const told = { ...here, env: { SWEEPLAB_CUDA_LIBRARIES: '/nothing:/opt/first:here' } };
    expect([...driverLooks(told)].slice(0, 3)).toEqual([
      { from: 'SWEEPLAB_CUDA_LIBRARIES', path: '/nothing', major: null, state: 'absent', why: 'no libcuda.so.1' },
      { from: 'SWEEPLAB_CUDA_LIBRARIES', path: '/opt/first/libcuda.so.1', major: null, state: 'found', why: '' },
      { from: 'SWEEPLAB_CUDA_LIBRARIES', path: 'here', major: null, state: 'skipped', why: 'not a whole path' },
    ]);
  });

  it('is that of System32 on Windows and never one of PATH (would catch a planted nvcuda.dll)', () => {
    const files = ['C:\\Windows\\System32\\nvcuda.dll', 'C:\\Downloads\\nvcuda.dll', 'D:\\W\\System32\\nvcuda.dll'];
    const here = machine({ platform: 'win32', files, env: { PATH: 'C:\\Downloads', SystemRoot: 'Downloads' } });
    expect([...driverLooks(here)].map(({ path }) => path)).toEqual(['C:\\Windows\\System32\\nvcuda.dll']);
    const moved = { ...here, env: { SystemRoot: 'D:\\W' } };
    expect([...driverLooks(moved)].map(({ path }) => path)).toEqual(['D:\\W\\System32\\nvcuda.dll']);
  });

  it('is nowhere on other systems', async () => {
    expect([...driverLooks(machine({ platform: 'darwin' }))]).toEqual([]);
    expect(await all(cublasLooks(machine({ platform: 'darwin' }), 13))).toEqual([]);
  });
});

describe('cuBLASLt on Linux', () => {
  const files = [
    '/first/libcublasLt.so.12',
    '/data/cuda/13/libcublasLt.so.13',
    '/venv/lib/python3.9/site-packages/nvidia/cublas/lib/libcublasLt.so.12',
    '/venv/lib/python3.12/site-packages/nvidia/cu13/lib/libcublasLt.so.13',
    '/venv/lib/python3.12/site-packages/torch/lib/libcublasLt.so.12',
    '/conda/lib/libcublasLt.so.12',
    '/conda/lib/python3.11/site-packages/torch/lib/libcublasLt.so.12',
    '/toolkit/lib64/libcublasLt.so.13',
    '/usr/local/cuda/targets/x86_64-linux/lib/libcublasLt.so.12',
    '/usr/local/cuda-9.2/lib64/libcublasLt.so.9',
    '/usr/local/cuda-12.4/lib64/libcublasLt.so.12',
    '/usr/local/cuda-12.10/lib64/libcublasLt.so.12',
    '/usr/local/cuda-13.0/lib64/libcublasLt.so.13',
    '/opt/cuda/lib64/libcublasLt.so.13',
    '/home/me/.local/lib/python3.12/site-packages/nvidia/cublas/lib/libcublasLt.so.12',
  ];
  const env = {
    SWEEPLAB_CUDA_LIBRARIES: '/first',
    VIRTUAL_ENV: '/venv',
    CONDA_PREFIX: '/conda',
    CUDA_PATH: '/toolkit',
    CUDA_HOME: '/toolkit',
  };
  const sitePackages: Surroundings['sitePackages'] = async ([python]) =>
    python === 'python3' ? ['/usr/lib/python3/dist-packages', '/home/me/.local/lib/python3.12/site-packages'] : [];
  const here = machine({ files, env, dataFolder: '/data', sitePackages });

  it('is taken in the order of the places, the newest version first, each once', async () => {
    expect(await usable(here, 13)).toEqual([
      '/first/libcublasLt.so.12',
      '/data/cuda/13/libcublasLt.so.13',
      '/venv/lib/python3.12/site-packages/nvidia/cu13/lib/libcublasLt.so.13',
      '/venv/lib/python3.12/site-packages/torch/lib/libcublasLt.so.12',
      '/venv/lib/python3.9/site-packages/nvidia/cublas/lib/libcublasLt.so.12',
      '/conda/lib/python3.11/site-packages/torch/lib/libcublasLt.so.12',
      '/conda/lib/libcublasLt.so.12',
      ...BY_NAME,
      '/toolkit/lib64/libcublasLt.so.13',
      '/usr/local/cuda/targets/x86_64-linux/lib/libcublasLt.so.12',
      '/usr/local/cuda-13.0/lib64/libcublasLt.so.13',
      '/usr/local/cuda-12.10/lib64/libcublasLt.so.12',
      '/usr/local/cuda-12.4/lib64/libcublasLt.so.12',
      '/opt/cuda/lib64/libcublasLt.so.13',
      '/home/me/.local/lib/python3.12/site-packages/nvidia/cublas/lib/libcublasLt.so.12',
    ]);
  });

  it('of a later CUDA than the driver, or of one that is not known, is passed over with the reason', async () => {
    expect((await usable(here, 12)).filter((path) => path.endsWith('.13'))).toEqual([]);
    const looks = await all(cublasLooks(here, 12));
    expect(looks.find(({ path }) => path === '/data/cuda/13/libcublasLt.so.13')).toMatchObject({
      from: 'sweeplab setup cuda',
      state: 'skipped',
      why: 'of CUDA 13, and this driver runs up to 12',
    });
    expect(looks.find(({ path }) => path.endsWith('.so.9'))!.why).toBe('of CUDA 9; Sweeplab knows 12 and 13');
    expect(looks.find(({ path }) => path === '/data/cuda/12')).toMatchObject({ state: 'absent', why: 'no cuBLASLt' });
    // Without a driver nothing is known to be too new.
    expect(await usable(here, null)).toEqual(await usable(here, 13));
    // A later driver runs what is known, and no more.
    const newer = machine({
      files: ['/data/cuda/12/libcublasLt.so.14', '/data/cuda/12/libcublasLt.so.13'],
      dataFolder: '/data',
    });
    expect((await usable(newer, 14))[0]).toBe('/data/cuda/12/libcublasLt.so.13');
  });

  it('is not taken by other names: static, versioned in full, or only the link of developers', async () => {
    const names = ['libcublasLt.so', 'libcublasLt.so.13.1.1', 'libcublasLt_static.a', 'xlibcublasLt.so.13'];
    const others = machine({ files: names.map((name) => `/usr/local/cuda/lib64/${name}`) });
    expect(await usable(others, 13)).toEqual(BY_NAME);
  });

  it('of an ARM toolkit lies in a folder of its own', async () => {
    const arm = machine({ arch: 'arm64', files: ['/usr/local/cuda/targets/sbsa-linux/lib/libcublasLt.so.13'] });
    expect(await usable(arm, 13)).toContain('/usr/local/cuda/targets/sbsa-linux/lib/libcublasLt.so.13');
  });

  it('needs no Python where something comes before (would catch a start that always waits for one)', async () => {
    const asked = vi.fn(async () => []);
    await firstThatLoads(cublasLooks({ ...here, sitePackages: asked }, 13), (path) => path);
    expect(asked).not.toHaveBeenCalled();
    await all(cublasLooks(machine({ sitePackages: asked }), 13));
    expect(asked.mock.calls).toEqual([[['python3']], [['python']]]);
  });
});

// Catches a switch that does nothing, and one that is misspelt in silence.
it('cuBLASLt is not looked for where it is switched off', async () => {
  const looksWith = (value: string) => all(cublasLooks(machine({ env: { SWEEPLAB_CUBLASLT: value } }), 13));
  expect(await looksWith('off')).toEqual([
    { from: 'SWEEPLAB_CUBLASLT', path: 'cuBLASLt', major: null, state: 'skipped', why: 'it is off' },
  ]);
  const [first, ...rest] = await looksWith('Off');
  expect(first).toMatchObject({ state: 'skipped', why: 'it is "Off"; off is all that it can be' });
  expect(rest.length).toBeGreaterThan(0);
});

describe('cuBLASLt on Windows', () => {
  const files = [
    'C:\\Users\\me\\AppData\\Local\\sweeplab\\cuda\\13\\cublasLt64_13.dll',
    'C:\\venv\\Lib\\site-packages\\nvidia\\cu13\\bin\\x86_64\\cublasLt64_13.dll',
    'C:\\venv\\Lib\\site-packages\\torch\\lib\\cublasLt64_12.dll',
    'C:\\conda\\Library\\bin\\cublasLt64_12.dll',
    'C:\\Program Files\\NVIDIA GPU Computing Toolkit\\CUDA\\v12.9\\bin\\cublasLt64_12.dll',
    'C:\\Program Files\\NVIDIA GPU Computing Toolkit\\CUDA\\v13.0\\bin\\x64\\cublasLt64_13.dll',
    'C:\\Program Files\\NVIDIA GPU Computing Toolkit\\CUDA\\v11.8\\bin\\cublasLt64_11.dll',
    'C:\\Python\\Lib\\site-packages\\nvidia\\cublas\\bin\\cublasLt64_12.dll',
    'C:\\Downloads\\cublasLt64_13.dll',
  ];
  const here = machine({
    platform: 'win32',
    files,
    env: {
      VIRTUAL_ENV: 'C:/venv',
      CONDA_PREFIX: 'C:\\conda',
      PATH: 'C:\\Downloads',
      CUDA_PATH: '\\toolkit',
      ProgramFiles: 'C:\\Program Files',
    },
    dataFolder: 'C:\\Users\\me\\AppData\\Local\\sweeplab',
    sitePackages: async ([python]) => (python === 'py' ? ['C:\\Python\\Lib\\site-packages', 'Lib\\site-packages'] : []),
  });

  it('is taken by whole paths alone, in order', async () => {
    expect(await usable(here, 13)).toEqual([
      'C:\\Users\\me\\AppData\\Local\\sweeplab\\cuda\\13\\cublasLt64_13.dll',
      'C:\\venv\\Lib\\site-packages\\nvidia\\cu13\\bin\\x86_64\\cublasLt64_13.dll',
      'C:\\venv\\Lib\\site-packages\\torch\\lib\\cublasLt64_12.dll',
      'C:\\conda\\Library\\bin\\cublasLt64_12.dll',
      'C:\\Program Files\\NVIDIA GPU Computing Toolkit\\CUDA\\v13.0\\bin\\x64\\cublasLt64_13.dll',
      'C:\\Program Files\\NVIDIA GPU Computing Toolkit\\CUDA\\v12.9\\bin\\cublasLt64_12.dll',
      'C:\\Python\\Lib\\site-packages\\nvidia\\cublas\\bin\\cublasLt64_12.dll',
    ]);
    const looks = await all(cublasLooks(here, 13));
    for (const { path, state } of looks) if (state === 'found') expect(path).toMatch(/^[A-Z]:\\/u);
    expect(looks.find(({ from }) => from === 'CUDA_PATH')).toMatchObject({ state: 'skipped', why: 'not a whole path' });
  });
});

describe('loading', () => {
  const look = (path: string, state: Look['state'] = 'found'): Look => ({
    from: 'test',
    path,
    major: 13,
    state,
    why: '',
  });

  it('takes the first that loads and keeps why others did not', async () => {
    const load = (path: string): string => {
      if (path === 'broken') throw new Error('invalid ELF header\nmore');
      return `handle of ${path}`;
    };
    const {
      library,
      look: taken,
      looks,
    } = await firstThatLoads([look('nowhere', 'absent'), look('broken'), look('good'), look('later')], load);
    expect([library, taken?.path]).toEqual(['handle of good', 'good']);
    expect(looks.map(({ path, state, why }) => [path, state, why])).toEqual([
      ['nowhere', 'absent', ''],
      ['broken', 'skipped', 'invalid ELF header'],
      ['good', 'found', ''],
    ]);
    expect(await firstThatLoads([look('broken')], load)).not.toHaveProperty('library');
  });
});

describe.skipIf(process.platform === 'win32')('a Python on this machine', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sweeplab-python-'));
  afterEach(() => vi.unstubAllEnvs());

  /** A program called `name`, in a folder that becomes PATH. */
  function python(name: string, script: string): void {
    const bin = join(folder, name);
    mkdirSync(bin);
    writeFileSync(join(bin, 'python3'), `#!/bin/sh\necho asked >> "${bin}/log"\n${script}\n`);
    chmodSync(join(bin, 'python3'), 0o755);
    vi.stubEnv('PATH', `relative:${bin}:/usr/bin:/bin`);
  }
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('is asked once for its folders of packages; one that fails or answers nonsense has none', async () => {
    mkdirSync(folder, { recursive: true });
    python('good', `echo '["/a/site-packages", 3]'`);
    expect(await thisMachine().sitePackages(['python3'])).toEqual(['/a/site-packages']);
    rmSync(join(folder, 'good', 'python3'));
    expect(await thisMachine().sitePackages(['python3'])).toEqual(['/a/site-packages']);
    python('broken', 'exit 3');
    expect(await thisMachine().sitePackages(['python3'])).toEqual([]);
    python('chatty', 'echo hello');
    expect(await thisMachine().sitePackages(['python3'])).toEqual([]);
    expect(await thisMachine().sitePackages(['no-such-python'])).toEqual([]);
  });
});
