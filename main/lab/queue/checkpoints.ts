/**
 * Makes the database agree with the checkpoints on disk.
 *
 * The engine saves a checkpoint, removes the one before, and then tells the host. When either is killed in between, the database
 * names a checkpoint that is gone. What lies on disk is the truth.
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { CheckpointKind } from '../../../preload/contract/runs.ts';
import type { Store } from '../../store/index.ts';

const NAME = /^(last|best)-(\d+)-(\d+)$/u;

/** Looks into the checkpoint folder of a run and records the newest of each kind. */
export function reconcileCheckpoints(store: Store, runId: string, folder: string): void {
  const found = (existsSync(folder) ? readdirSync(folder) : []).flatMap((name) => {
    const match = NAME.exec(name);
    if (match === null) return [];
    const path = join(folder, name);
    // An engine that is already at work may replace a checkpoint between the listing and this look; it tells of the new one itself.
    const savedAt = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
    if (savedAt === undefined) return [];
    return [{ kind: match[1] as CheckpointKind, step: Number(match[2]), number: Number(match[3]), path, savedAt }];
  });
  const recorded = new Map(store.checkpoints(runId).map((each) => [each.kind, each]));
  for (const kind of ['last', 'best'] as const) {
    const newest = found
      .filter((each) => each.kind === kind)
      .toSorted((a, b) => a.step - b.step || a.number - b.number)
      .at(-1);
    const known = recorded.get(kind);
    if (newest === undefined) {
      if (known !== undefined) store.removeCheckpoint(runId, kind);
    } else if (known?.path !== newest.path) {
      const { step, path, savedAt } = newest;
      store.setCheckpoint({
        runId,
        kind,
        step,
        path,
        valLoss: lossOf(path),
        savedAt: Math.round(savedAt),
      });
    }
  }
}

/** The validation loss that the checkpoint remembers; null when it cannot be read. */
function lossOf(path: string): number | null {
  try {
    const { body } = JSON.parse(readFileSync(join(path, 'checkpoint.json'), 'utf8')) as {
      body: { state: { validationLoss?: number | null } };
    };
    return body.state.validationLoss ?? null;
  } catch {
    return null;
  }
}
