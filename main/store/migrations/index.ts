import type { Migration } from '../migrate.ts';
import { runs } from './0001-runs.ts';
import { series } from './0002-series.ts';
import { queue } from './0003-queue.ts';
import { overviews } from './0004-overviews.ts';
import { sessions } from './0005-sessions.ts';
import { outside } from './0006-outside.ts';
import { places } from './0007-places.ts';
import { classes } from './0008-classes.ts';

/** In order. A released migration is never edited: a change of the schema is a new one at the end. */
export const MIGRATIONS: readonly Migration[] = [runs, series, queue, overviews, sessions, outside, places, classes];
