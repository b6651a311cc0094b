import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openReader } from '../../main/store/connection.ts';
import { openStore } from '../../main/store/index.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sweeplab-reader-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const applicationId = (path: string): unknown => {
  const db = openReader(path, false);
  try {
    return db.prepare('PRAGMA application_id').get();
  } finally {
    db.close();
  }
};

it('reads a database in a folder that may not be written, beside its writer and alone', () => {
  const path = join(folder, 'runs.sqlite');
  const store = openStore(path);
  expect(applicationId(path)).toEqual({ application_id: 0x5357504c });
  store.close();
  expect(applicationId(path)).toEqual({ application_id: 0x5357504c });
});
