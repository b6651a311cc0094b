/** What the client asks by name. Unknown questions are answered with nulls, so that it goes on; it would try again for minutes otherwise. */
import type { Store } from '../../store/index.ts';
import { Refusal } from './body.ts';
import { feedOf, type KnownRun, type WandbRuns } from './runs.ts';
import { type Fields, isFields, textOf } from './values.ts';
import type { Uploads } from './uploads.ts';

export const ENTITY = 'sweeplab';
const MOST_FILES = 1000;

/** Answers by the name of the operation. */
export type Operations = Readonly<Record<string, (variables: Fields) => unknown>>;

interface Parts {
  readonly store: Store;
  readonly wandb: WandbRuns;
  readonly uploads: Uploads;
  /** `http://127.0.0.1:4321` */
  readonly base: () => string;
}

const entityOf = (given: unknown): { id: string; name: string } => {
  const name = textOf(given, 100) || ENTITY;
  return { id: name, name };
};

export const projectOf = (name: string, entity: unknown): Fields => ({ id: name, name, entity: entityOf(entity) });

export function runOperations({ store, wandb, uploads, base }: Parts): Operations {
  return {
    Viewer: () => ({
      viewer: {
        id: ENTITY,
        entity: ENTITY,
        username: ENTITY,
        email: `${ENTITY}@localhost`,
        flags: '{}',
        admin: false,
        teams: { edges: [] },
      },
    }),
    ServerFeaturesQuery: () => ({ serverInfo: { features: [] } }),
    RunResumeStatus: ({ project, entity, name }) => {
      const found = wandb.find(project, name);
      const model = projectOf(found?.project ?? textOf(project, 128) ?? '', entity);
      return { model: { ...model, bucket: found === undefined ? null : resumed(wandb, found) } };
    },
    UpsertBucket: (given) => {
      const { inserted, ...known } = wandb.upsert(given);
      return { upsertBucket: { bucket: bucketOf(wandb, known, given.entity), inserted } };
    },
    CreateRunFiles: ({ project, run, files }) => {
      const known = wandb.get(project, run);
      const names = Array.isArray(files) ? files.slice(0, MOST_FILES) : [];
      const made = names.map((name: unknown) => ({
        name,
        uploadUrl: `${base()}${uploads.address(known.run.id, name)}`,
      }));
      return { createRunFiles: { runID: known.run.id, uploadHeaders: [], files: made } };
    },
    MarkRunFilesUploaded: () => ({ markRunFilesUploaded: { success: true } }),
    NotifyScriptableRunAlert: async ({ projectName, runName, title, text, severity }) => {
      const { run } = wandb.get(projectName, runName);
      const message = [textOf(title, 500), textOf(text, 5000)].filter(Boolean).join(': ');
      await store.appendEvent({ runId: run.id, kind: severity === 'ERROR' ? 'error' : 'warning', message });
      return { notifyScriptableRunAlert: { success: true } };
    },
    CreateArtifact: async ({ input }) => {
      const { projectName, runName, artifactCollectionName: name } = isFields(input) ? input : {};
      const known = typeof runName === 'string' ? wandb.find(projectName, runName) : undefined;
      const message = `artifact ${textOf(name, 200) ?? ''} is not kept: ${ARTIFACTS}`;
      // The client itself does not show it.
      if (known !== undefined) await store.appendEvent({ runId: known.run.id, kind: 'warning', message });
      throw new Refusal(400, message);
    },
    StopRun: ({ id }) => {
      throw new Refusal(400, `runs are stopped in Sweeplab (${textOf(id, 60) ?? 'no id'})`);
    },
  };
}

function bucketOf(wandb: WandbRuns, { run, project, name, source }: KnownRun, entity: unknown): Fields {
  const { name: displayName, sweepId, note } = run.record;
  const sweep = sweepId === null ? null : sweepId;
  return {
    id: run.id,
    name,
    displayName,
    description: note,
    config: JSON.stringify(wandb.configOf(source)),
    sweepName: wandb.isSweep(sweep) ? sweep : null,
    project: projectOf(project, entity),
    historyLineCount: feedOf(run).history,
  };
}

/** What the client needs to go on where a run ended. */
function resumed(wandb: WandbRuns, known: KnownRun): Fields {
  const { run } = known;
  const { history, events, output, last } = feedOf(run);
  const { summary, tags, note } = run.record;
  const tail =
    last === undefined
      ? []
      : [JSON.stringify({ _step: last.step, _runtime: last.runtime, _timestamp: last.timestamp })];
  const { seconds: _, ...own } = summary;
  const all =
    last === undefined ? own : { ...own, _step: last.step, _runtime: last.runtime, _timestamp: last.timestamp };
  return {
    ...bucketOf(wandb, known, undefined),
    summaryMetrics: JSON.stringify({ ...all, _wandb: { runtime: Math.floor(last?.runtime ?? 0) } }),
    historyLineCount: history,
    eventsLineCount: events,
    logLineCount: output,
    historyTail: JSON.stringify(tail),
    eventsTail: JSON.stringify(
      last === undefined ? [] : [JSON.stringify({ _runtime: last.runtime, _timestamp: last.timestamp })],
    ),
    tags,
    notes: note,
    // The client takes a run that never sent its `t` for one that never began.
    wandbConfig: JSON.stringify({ t: {} }),
  };
}

/** The name of the operation: given, or the first in the text. */
function nameIn({ operationName, query }: Fields): string {
  const given = textOf(operationName, 200);
  if (given) return given;
  return /\b(?:query|mutation)\s+(\w+)/u.exec(textOf(query) ?? '')?.[1] ?? '';
}

/** Null for each field that a query asks for at its top. */
export function nullsFor(query: string): Record<string, null> {
  const found: Record<string, null> = {};
  let depth = 0;
  let inside = 0;
  for (const [token] of query.replaceAll(/#.*$/gmu, '').matchAll(/"(?:[^"\\]|\\.)*"|[{}()]|\w+(?:\s*:\s*\w+)?/gu)) {
    if (token === '(') inside++;
    else if (token === ')') inside--;
    else if (token === '{' && inside === 0) depth++;
    else if (token === '}' && inside === 0) depth--;
    else if (depth === 1 && inside === 0 && /^\w/u.test(token)) found[/^\w+/u.exec(token)![0]] = null;
  }
  return found;
}

const ARTIFACTS = 'this lab keeps no artifacts; wandb.save(path) keeps a file with its run';

const notDone = (name: string): string =>
  /artifact/iu.test(name) ? ARTIFACTS : `${name.slice(0, 60) || 'this change'} is nothing that this lab does`;

/** @throws Refusal */
export async function answerGraphql(operations: Operations, body: Fields): Promise<Fields> {
  const name = nameIn(body);
  if (!Object.hasOwn(operations, name)) {
    const query = textOf(body.query) ?? '';
    // A change that was not made must not look like one: the client ends itself over the nulls of an artifact.
    if (/^\s*mutation\b/u.test(query)) throw new Refusal(400, notDone(name));
    return { data: nullsFor(query) };
  }
  return { data: await operations[name]!(isFields(body.variables) ? body.variables : {}) };
}
