/** A run database in a folder of its own for each test, gone after it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import { openStore } from '../../../main/store/index.ts';
import type { Store } from '../../../main/store/index.ts';

/** Called once by a test file. @param begin gets both before each test */
export function storeInFolder(begin: (made: { readonly folder: string; readonly store: Store }) => void): void {
  let made: { readonly folder: string; readonly store: Store };
  beforeEach(() => {
    const folder = mkdtempSync(join(tmpdir(), 'sweeplab-exchange-'));
    made = { folder, store: openStore(join(folder, 'runs.sqlite')) };
    begin(made);
  });
  afterEach(() => {
    made.store.close();
    rmSync(made.folder, { recursive: true, force: true });
  });
}
