/**
 * Scripts that report through the W&B client's protocol: rows of 200 keys in batches as the client sends them, and how long the lab, which has
 * other things to do, is held up meanwhile.
 *
 *   node test/bench/endpoint.ts [rows] [rows of a batch]
 *
 * The script is a thread of its own, as it would be a process. Writes to a temporary folder and removes it afterwards.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { OWN_KEYS } from '../../main/endpoint/wandb/runs.ts';
import { WandbEndpoint } from '../../main/endpoint/wandb/server.ts';
import { OutsideRuns } from '../../main/lab/outside/outsideRuns.ts';
import { OutsideSweeps } from '../../main/lab/outside/outsideSweeps.ts';
import { openStore } from '../../main/store/index.ts';

const KEYS = 200;
const KEY = '0'.repeat(40);
const ENOUGH = 20_000;

/** What the script does; its text is a module of its own. */
const SCRIPT = `
const { workerData, parentPort } = await import('node:worker_threads');
const { url, rows, batch, keys, key } = workerData;
const headers = { authorization: 'Basic ' + Buffer.from('api:' + key).toString('base64'), 'content-type': 'application/json' };
const post = async (path, body) => {
  const answer = await fetch(url + path, { method: 'POST', headers, body });
  if (!answer.ok) throw new Error(await answer.text());
};
await post('/graphql', JSON.stringify({ query: 'mutation UpsertBucket { x }', variables: { name: 'run', project: 'bench', config: '{}' } }));
const bodies = [];
for (let offset = 0; offset < rows; offset += batch) {
  const content = Array.from({ length: Math.min(batch, rows - offset) }, (_, i) => {
    const row = { _step: offset + i, _runtime: offset + i, _timestamp: 1.7e9 + offset + i };
    for (let k = 0; k < keys; k++) row['metric/' + k] = Math.sin(offset + i + k);
    return JSON.stringify(row);
  });
  bodies.push(JSON.stringify({ files: { 'wandb-history.jsonl': { offset, content } } }));
}
parentPort.postMessage({ bytes: bodies.reduce((sum, body) => sum + body.length, 0), largest: Math.max(...bodies.map((body) => body.length)) });
const begin = performance.now();
for (const body of bodies) await post('/files/me/bench/run/file_stream', body);
parentPort.postMessage({ seconds: (performance.now() - begin) / 1000 });
`;

export async function endpointBench(args: string[]): Promise<void> {
  const [rows = 10_000, batch = 500] = args.map(Number);
  const folder = mkdtempSync(join(tmpdir(), 'sweeplab-bench-'));
  const store = openStore(join(folder, 'runs.sqlite'));
  const runs = new OutsideRuns({ store, origin: 'wandb', ownKeys: OWN_KEYS });
  const sweeps = new OutsideSweeps(store, runs);
  const endpoint = await WandbEndpoint.open({
    store,
    runs,
    sweeps,
    port: 0,
    key: () => KEY,
    files: join(folder, 'files'),
  });
  try {
    const workerData = { url: endpoint.url, rows, batch, keys: KEYS, key: KEY };
    const script = new Worker(new URL(`data:text/javascript,${encodeURIComponent(SCRIPT)}`), { workerData });
    const delay = monitorEventLoopDelay({ resolution: 5 });
    const told: { bytes?: number; largest?: number; seconds?: number } = {};
    script.on('message', (message: typeof told) => {
      Object.assign(told, message);
      if (message.bytes !== undefined) delay.enable();
      else delay.disable();
    });
    await new Promise<void>((resolve, reject) => {
      script.on('exit', () => resolve());
      script.on('error', reject);
    });
    const kept = Object.values(store.metricStates(store.listRuns()[0]!.id)).reduce(
      (sum, { points }) => sum + points,
      0,
    );
    const { bytes = 0, largest = 0, seconds = Number.NaN } = told;
    const speed = (rows * KEYS) / seconds;
    console.log(`${rows} rows of ${KEYS} keys in batches of ${batch} (${(largest / 2 ** 20).toFixed(1)} MiB at most)`);
    console.log(`${Math.round(speed)} points/s, ${(bytes / 2 ** 20 / seconds).toFixed(1)} MiB/s; ${kept} points kept`);
    console.log(
      `the lab was held up for ${Math.round(delay.max / 1e6)} ms at most, ${Math.round(delay.percentile(99) / 1e6)} ms in 99 %`,
    );
    if (!(speed >= ENOUGH)) throw new Error(`less than ${ENOUGH} points/s`);
  } finally {
    await endpoint.close();
    runs.close();
    store.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await endpointBench(process.argv.slice(2));
