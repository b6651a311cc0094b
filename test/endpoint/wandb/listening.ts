/** An endpoint over a database of its own, and requests to it as they were recorded from the client (wandb 0.30.0). */
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { OWN_KEYS } from '../../../main/endpoint/wandb/runs.ts';
import { WandbEndpoint } from '../../../main/endpoint/wandb/server.ts';
import { OutsideRuns } from '../../../main/lab/outside/outsideRuns.ts';
import { OutsideSweeps } from '../../../main/lab/outside/outsideSweeps.ts';
import { openStore } from '../../../main/store/index.ts';
import type { Store } from '../../../main/store/index.ts';
import type { RunRecord } from '../../../preload/contract/runs.ts';
import { onCleanup, temporaryFolder } from '../../store/support.ts';

export const KEY = '0123456789abcdef0123456789abcdef01234567';

export interface Reply {
  readonly status: number;
  readonly text: string;
  /** Of a GraphQL answer. */
  readonly data: Record<string, never>;
}

export interface SendOptions {
  readonly method?: string;
  /** Null: no authorization at all. */
  readonly key?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Listening {
  readonly folder: string;
  readonly store: Store;
  readonly runs: OutsideRuns;
  readonly sweeps: OutsideSweeps;
  readonly endpoint: WandbEndpoint;
  /** Told of ends. */
  readonly ended: readonly RunRecord[];
  send(path: string, body: unknown, options?: SendOptions): Promise<Reply>;
  graphql(operation: string, variables: Readonly<Record<string, unknown>>): Promise<Record<string, never>>;
  /** A new process over the same database. */
  restart(): Promise<void>;
}

export interface Clock {
  now: number;
}

export async function listening(clock?: Clock): Promise<Listening> {
  const folder = temporaryFolder();
  const ended: RunRecord[] = [];
  let store: Store;
  let runs: OutsideRuns;
  let sweeps: OutsideSweeps;
  let endpoint: WandbEndpoint;
  const open = async (): Promise<void> => {
    store = openStore(join(folder, 'runs.sqlite'));
    const now = clock && (() => clock.now);
    const onEnded = (run: RunRecord): void => void ended.push(run);
    runs = new OutsideRuns({ store, origin: 'wandb', ownKeys: OWN_KEYS, onEnded, ...(now && { now }) });
    sweeps = new OutsideSweeps(store, runs);
    endpoint = await WandbEndpoint.open({ store, runs, sweeps, port: 0, key: () => KEY, files: join(folder, 'files') });
  };
  const close = async (): Promise<void> => {
    await endpoint.close();
    runs.close();
    store.close();
  };
  await open();
  onCleanup(() => void close());
  const send = (
    path: string,
    body: unknown,
    { method = 'POST', key = KEY, headers = {} }: SendOptions = {},
  ): Promise<Reply> =>
    new Promise((resolve, reject) => {
      const bytes = Buffer.isBuffer(body) ? body : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
      const authorization =
        key === null ? {} : { authorization: `Basic ${Buffer.from(`api:${key}`).toString('base64')}` };
      const all = { 'content-length': String(bytes.length), ...authorization, ...headers };
      const sent = request(
        { host: '127.0.0.1', port: endpoint.port, path, method, headers: all, agent: false },
        (response) => {
          let text = '';
          response.setEncoding('utf8').on('data', (piece: string) => (text += piece));
          response.on('error', reject);
          response.on('end', () => {
            const answer = text.startsWith('{') ? (JSON.parse(text) as { data?: Record<string, never> }) : {};
            resolve({ status: response.statusCode!, text, data: answer.data ?? {} });
          });
        },
      );
      sent.on('error', reject);
      sent.end(bytes);
    });
  return {
    folder,
    get store() {
      return store;
    },
    get runs() {
      return runs;
    },
    get sweeps() {
      return sweeps;
    },
    get endpoint() {
      return endpoint;
    },
    ended,
    send,
    graphql: async (operation, variables) =>
      (await send('/graphql', { operationName: operation, query: `query ${operation} { x }`, variables })).data,
    restart: async () => {
      await close();
      await open();
    },
  };
}

export interface Recorded {
  readonly path: string;
  readonly body: Readonly<Record<string, unknown>>;
}

const FIXTURES = fileURLToPath(new URL('../../fixtures/wandb/', import.meta.url));

/** What the client sent, in its order. */
export const recorded = (name: string): Recorded[] =>
  readFileSync(join(FIXTURES, `${name}.jsonl`), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Recorded);

/** Sends what was recorded. @returns the answers */
export async function replay({ send }: Listening, requests: readonly Recorded[]): Promise<Reply[]> {
  const replies: Reply[] = [];
  for (const { path, body } of requests) replies.push(await send(path, body));
  return replies;
}
