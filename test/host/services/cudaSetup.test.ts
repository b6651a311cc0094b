/** `setup cuda` from a page: its steps against a server of its own, and what it leaves behind. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CudaSetupService } from '../../../main/host/services/cudaSetup.ts';
import type { CudaSetup } from '../../../preload/contract/shapes.ts';
import { describeWheel, FILES, LIBRARY, LICENCE, serving, wheelOf } from '../../lab/libraries/wheel.ts';
import type { Handler } from '../../lab/libraries/wheel.ts';

let home: string;
let server: Server;
let handler: Handler;
let service: CudaSetupService;
let states: CudaSetup[];

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'sweeplab-cuda-setup-'));
  const packed = await wheelOf(FILES);
  handler = serving(packed);
  server = createServer((request, response) => handler(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  states = [];
  service = new CudaSetupService({
    paths: { home, cache: join(home, 'cache') },
    choose: () => Promise.resolve(describeWheel(packed)),
    from: `http://127.0.0.1:${(server.address() as AddressInfo).port}/packages`,
    onState: (state) => states.push(state),
  });
});
afterEach(async () => {
  await service.close();
  server.closeAllConnections();
  server.close();
  rmSync(home, { recursive: true, force: true });
});

const until = (phase: CudaSetup['phase']): Promise<void> =>
  vi.waitFor(() => expect(service.state.phase).toBe(phase), { timeout: 60_000 });
const kept = (): string[] => (existsSync(join(home, 'cuda')) ? readdirSync(join(home, 'cuda')) : []);
const wheels = (): string[] => {
  const folder = join(home, 'cache/downloads/wheels');
  return existsSync(folder) ? readdirSync(folder) : [];
};

describe('cuBLASLt fetched from a page', () => {
  it('is kept when its licence was shown and accepted, not before', async () => {
    expect(service.fetch().phase).toBe('fetching');
    await until('licence');
    expect(service.state).toMatchObject({ licence: LICENCE, what: { major: 13, version: '13.0' }, problem: null });
    expect(kept()).toEqual([]);
    expect(service.accept().phase).toBe('keeping');
    await until('ready');
    const library = readdirSync(join(home, 'cuda/13')).find((name) => name.includes('cublasLt'))!;
    expect(readFileSync(join(home, 'cuda/13', library)).equals(LIBRARY)).toBe(true);
    expect(states.some(({ progress }) => progress?.phase === 'download')).toBe(true);
    // Another page that asks finds it there.
    service.cancel();
    service.fetch();
    await until('ready');
  });

  it('is removed when its licence is refused', async () => {
    service.fetch();
    await until('licence');
    expect(wheels()).not.toEqual([]);
    service.cancel();
    await service.close();
    expect([service.state.phase, wheels(), kept()]).toEqual(['idle', [], []]);
    // Nothing to accept any more.
    expect(service.accept().phase).toBe('idle');
  });

  it('stops when it is told to, and goes on from there (would catch a button that does nothing)', async () => {
    const whole = handler;
    const { promise: asked, resolve } = Promise.withResolvers<void>();
    handler = (_request, response) => {
      response.writeHead(200, { etag: '"one"', 'content-length': 400_000 });
      response.write(Buffer.alloc(1000), () => resolve());
    };
    service.fetch();
    await asked;
    service.cancel();
    await until('idle');
    expect(service.state.problem).toBeNull();
    handler = whole;
    service.fetch();
    await until('licence');
  });

  it('says why it could not be fetched, and can be tried again', async () => {
    const whole = handler;
    handler = (_request, response) => response.writeHead(404).end();
    service.fetch();
    await until('idle');
    expect(service.state.problem).toMatch(/404/u);
    handler = whole;
    service.fetch();
    await until('licence');
  });
});
