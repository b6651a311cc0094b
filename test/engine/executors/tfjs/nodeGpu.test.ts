/** The optional executor on libtensorflow, without its package: what is said where it cannot be used, and how it is loaded. */
import Module from 'node:module';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { startBackend } from '../../../../main/engine/executors/tfjs/backend.ts';
import { selectExecutor } from '../../../../main/engine/executors/select.ts';

type Load = (request: string, ...rest: unknown[]) => unknown;
const loader = Module as unknown as { _load: Load };
const load = loader._load;

/** What is loaded in the place of the package. */
function packageIs(run: () => unknown): void {
  vi.spyOn(loader, '_load').mockImplementation((request, ...rest) =>
    request === '@tensorflow/tfjs-node-gpu' ? run() : load(request, ...rest),
  );
}

const fails = (code: string | undefined, message: string) => () => {
  throw Object.assign(new Error(message), code === undefined ? {} : { code });
};

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  if (tf.findBackend('tensorflow') !== null) tf.removeBackend('tensorflow');
});

describe('TensorFlow on a GPU', () => {
  it('says exactly why it cannot be used', async () => {
    packageIs(fails('MODULE_NOT_FOUND', "Cannot find module '@tensorflow/tfjs-node-gpu'"));
    await expect(startBackend('tfjs-gpu')).rejects.toThrow(
      'the optional package @tensorflow/tfjs-node-gpu is not installed',
    );
    packageIs(fails('ERR_DLOPEN_FAILED', 'libcudnn.so.8: cannot open shared object file\nRequire stack: …'));
    await expect(startBackend('tfjs-gpu')).rejects.toThrow(
      'its native library does not load (libcudnn.so.8: cannot open shared object file)',
    );
    packageIs(() => ({}));
    await expect(startBackend('tfjs-gpu')).rejects.toThrow('brought its own copy of @tensorflow/tfjs-core');
  });

  it('lets the card keep what it does not need (would catch every verdict of the fit check being wrong)', async () => {
    vi.stubEnv('TF_FORCE_GPU_ALLOW_GROWTH', 'false');
    let seen: string | undefined;
    packageIs(() => {
      seen = process.env.TF_FORCE_GPU_ALLOW_GROWTH;
      return fails(undefined, 'stop')();
    });
    await expect(startBackend('tfjs-gpu')).rejects.toThrow();
    expect(seen).toBe('true');
  });

  it('is refused where it would compute on the processor under the name of a GPU', async () => {
    tf.registerBackend('tensorflow', () => new Processor(), 0);
    packageIs(() => ({}));
    await expect(startBackend('tfjs-gpu')).rejects.toThrow('finds no GPU that it can use');
    await expect(selectExecutor('tfjs-gpu')).rejects.toThrow('device is tfjs-gpu, which cannot be used here');
  });
});

class Processor extends tf.KernelBackend {
  readonly isUsingGpuDevice = false;
  override numDataIds = (): number => 0;
  override floatPrecision = (): 32 => 32;
  override epsilon = (): number => 1e-7;
  override dispose(): void {}
}
