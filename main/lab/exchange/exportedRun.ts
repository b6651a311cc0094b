/** What files of other tools say of a run alike. */
import type { RunRecord } from '../../../preload/contract/runs.ts';
import { fileName } from '../../../preload/shared/fileName.ts';

/** Milliseconds since 1970 at which the run began. */
export const began = ({ startedAt, createdAt }: RunRecord): number => startedAt ?? createdAt;

/** `depth-4-seed-1-1s7j0a5sx`: readable, and of this run alone. */
export const runFileName = ({ id, name }: RunRecord): string => `${fileName(name).slice(0, 100)}-${id}`;
