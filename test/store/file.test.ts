import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { assertSqliteVersion, configureWriter, Connection } from '../../main/store/connection.ts';
import { openStore } from '../../main/store/index.ts';
import type { Migration } from '../../main/store/migrate.ts';
import { MIGRATIONS } from '../../main/store/migrations/index.ts';
import { secondsOf } from '../../preload/shared/runTime.ts';
import { makeOldDatabase, OLD_CLASSES, OLD_SECONDS, OLD_SWEEP, oldRun, OLD_NAMES } from './oldDatabases.ts';
import { codeOf, column, newRun, newStore, onCleanup, open, range, temporaryFolder } from './support.ts';

const ADDITION: Migration = {
  version: MIGRATIONS.length + 1,
  name: 'ratings',
  sql: 'ALTER TABLE runs ADD COLUMN rating INTEGER; CREATE TABLE more (a INTEGER) STRICT;',
};

test('SQLite versions with the corruption bug are refused (catches: comparing versions as text)', () => {
  for (const version of ['3.51.3', '3.52.0', '3.100.0', '4.0.0'])
    expect(() => assertSqliteVersion(version)).not.toThrow();
  for (const version of ['3.51.2', '3.9.9', '3.50.10', '2.99.99', 'nonsense']) {
    expect(() => assertSqliteVersion(version)).toThrow(/needs SQLite 3\.51\.3 or newer/);
  }
});

test('every commit is flushed to the disk (catches: a faster setting that a power cut turns into loss)', () => {
  const connection = new Connection(join(temporaryFolder(), 'runs.db'), false);
  onCleanup(() => connection.close());
  // SQLite's own default can be changed when it is built; here it is ours.
  connection.exec('PRAGMA synchronous = OFF');
  configureWriter(connection);
  expect(connection.pragma('synchronous')).toBe(2);
  expect(connection.pragma('journal_mode')).toBe('wal');
});

test('the file is durable and strict as promised (catches: a pragma lost on the way)', () => {
  const store = newStore();
  const raw = new DatabaseSync(store.path);
  onCleanup(() => raw.close());
  const pragma = (name: string): unknown => Object.values(raw.prepare(`PRAGMA ${name}`).get()!)[0];
  expect(pragma('journal_mode')).toBe('wal');
  expect(pragma('auto_vacuum')).toBe(2);
  expect(pragma('user_version')).toBe(MIGRATIONS.length);
  const tables = raw.prepare(
    "SELECT name, strict FROM pragma_table_list WHERE schema = 'main' AND name NOT LIKE 'sqlite%'",
  );
  expect(tables.all().filter((table) => table.strict !== 1)).toEqual([]);
});

describe('migrations', () => {
  test('are numbered without gaps (catches: one that is skipped or applied twice)', () => {
    expect(MIGRATIONS.map((migration) => migration.version)).toEqual(MIGRATIONS.map((_, i) => i + 1));
  });

  test.each(MIGRATIONS.slice(0, -1).map((migration) => migration.version))(
    'a database of schema %i becomes the current one (catches: a migration that needs an empty file, or forgets what was there)',
    (version) => {
      const path = join(temporaryFolder(), 'runs.db');
      makeOldDatabase(path, version);
      const store = open(path);
      expect(store.backup).toContain(`backup-v${version}-`);
      expect(store.check()).toEqual([]);
      expect(store.getSweep(OLD_SWEEP)).toMatchObject({
        yaml: 'method: grid',
        concurrencyLimit: null,
        origin: 'sweeplab',
      });
      const byName = (name: string) => store.getRun(oldRun(name))!;
      expect(byName('finished')).toMatchObject({ state: 'finished', origin: 'sweeplab', place: null, stopCause: null });
      expect([...store.readAll(oldRun('finished'), 'val/loss').value]).toEqual(version >= 2 ? [2, 1, 0.5] : []);
      if (version >= 2 && version < 7) {
        const read = (name: string) => [...store.readAll(oldRun('finished'), name).value];
        expect(OLD_NAMES.map(read)).toEqual(OLD_NAMES.map((_, i) => [i]));
        const classes = OLD_CLASSES.map(([, now]) => now);
        expect(store.metricNames(oldRun('finished')).toSorted()).toEqual(
          [...OLD_NAMES, ...classes, 'val/loss'].toSorted(),
        );
        expect([...store.readPlaces(oldRun('finished'), 'a', 10).head]).toEqual([-1, 0]);
      }
      if (version >= 2 && version < 8) {
        const read = (name: string) => [...store.readAll(oldRun('finished'), name).value];
        expect(OLD_CLASSES.map(([, now]) => read(now))).toEqual(OLD_CLASSES.map((_, i) => [i]));
        expect([...store.readPlaces(oldRun('finished'), 'loss_by_position', 10).layer]).toEqual([1, 8, 131_072]);
        expect([...store.readPlaces(oldRun('finished'), 'b', 10).head]).toEqual([-1, 7]);
        // No bit of other numbers is lost.
        expect(byName('finished').summary).toEqual({ loss_by_position: 3.25, 'val/loss': 0.12345678901234568 });
      }
      // What was told by the first words of the reason is told by the cause now, so that resuming decides as before.
      expect(['cancelled', 'with its sweep', 'interrupted', 'failed'].map((name) => byName(name).stopCause)).toEqual([
        'cancelled',
        'sweep',
        'interrupted',
        null,
      ]);
      // Those that wait keep their order, and a new one stands behind them.
      const { id } = store.createRun(newRun());
      expect(store.queuedIds()).toEqual([oldRun('waiting'), oldRun('waiting too'), id]);
      expect(store.stopOrphans().map((run) => run.name)).toEqual(['training']);
      store.setRunStates([oldRun('training')], 'queued', {}, { id: OLD_SWEEP, state: 'running' });
      expect(store.queuedIds()).toEqual([oldRun('training'), oldRun('waiting'), oldRun('waiting too'), id]);
      expect(store.queueSwitches()).toEqual({ paused: false, places: null });
      // How long they trained, without the time between.
      for (const [name, seconds] of Object.entries(OLD_SECONDS)) expect(secondsOf(byName(name)), name).toBe(seconds);
      expect(secondsOf(byName('waiting'))).toBe(null);
    },
  );

  test('copy the file under another name until the copy is complete (catches: a kill that leaves half a backup)', () => {
    const folder = temporaryFolder();
    const path = join(folder, 'runs.db');
    makeOldDatabase(path, 1);
    // What a kill left of an earlier try must not keep the next one from working.
    writeFileSync(`${path}.backup.part`, 'half a copy');
    const store = open(path);
    expect(readdirSync(folder).filter((name) => name.endsWith('.part'))).toEqual([]);
    expect(open(store.backup!, { readOnly: true, migrations: MIGRATIONS.slice(0, 1) }).check()).toEqual([]);
  });

  test('keep all data and leave a complete copy of the old file (catches: a lossy update, an unusable backup)', async () => {
    const path = join(temporaryFolder(), 'runs.db');
    const old = openStore(path);
    const { id } = old.createRun(newRun());
    await old.appendMetrics(id, [column('m', range(0, 3000), (step) => step / 3)]);
    old.close();
    const store = open(path, { migrations: [...MIGRATIONS, ADDITION] });
    expect(store.backup).toContain(`runs.db.backup-v${MIGRATIONS.length}-`);
    expect(store.readAll(id, 'm').step).toHaveLength(3000);
    const backup = open(store.backup!, { readOnly: true });
    expect(backup.readAll(id, 'm').step).toHaveLength(3000);
    expect(backup.check()).toEqual([]);
    store.close();
    expect(open(path, { migrations: [...MIGRATIONS, ADDITION] }).backup).toBeNull();
  });

  test('that fail are undone as a whole (catches: a schema between two versions)', async () => {
    const path = join(temporaryFolder(), 'runs.db');
    const old = openStore(path);
    const { id } = old.createRun(newRun());
    old.close();
    const broken = { ...ADDITION, sql: `${ADDITION.sql} CREATE TABLE more (again INTEGER) STRICT;` };
    expect(() => openStore(path, { migrations: [...MIGRATIONS, broken] })).toThrow(
      new RegExp(`schema ${MIGRATIONS.length + 1} \\(ratings\\) failed and was undone`),
    );
    const store = open(path);
    expect(store.getRun(id)!.id).toBe(id);
    store.close();
    expect(open(path, { migrations: [...MIGRATIONS, ADDITION] }).getRun(id)!.id).toBe(id);
  });

  test('a newer database is refused and not touched (catches: an old program damaging new data)', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'runs.db');
    openStore(path, { migrations: [...MIGRATIONS, ADDITION] }).close();
    const before = readFileSync(path);
    for (const readOnly of [false, true]) {
      expect(await codeOf(() => openStore(path, { readOnly }))).toBe('newer');
      expect(readFileSync(path).equals(before)).toBe(true);
    }
    expect(readdirSync(folder).filter((name) => name.includes('backup'))).toEqual([]);
  });

  test('a reader does not migrate (catches: a second process changing the file under the writer)', async () => {
    const path = join(temporaryFolder(), 'runs.db');
    openStore(path).close();
    expect(await codeOf(() => openStore(path, { readOnly: true, migrations: [...MIGRATIONS, ADDITION] }))).toBe(
      'older',
    );
  });
});

describe('files that are no run database', () => {
  test('are refused and not touched (catches: tables added to the database of another program)', async () => {
    const folder = temporaryFolder();
    const text = join(folder, 'text.db');
    writeFileSync(text, 'This is a plain text file. '.repeat(100));
    const other = join(folder, 'other.db');
    const raw = new DatabaseSync(other);
    raw.exec('CREATE TABLE theirs (a)');
    raw.close();
    for (const path of [text, other]) {
      const before = readFileSync(path);
      for (const readOnly of [false, true]) expect(await codeOf(() => openStore(path, { readOnly }))).toBe('foreign');
      expect(readFileSync(path).equals(before)).toBe(true);
    }
    expect(await codeOf(() => openStore(join(folder, 'absent.db'), { readOnly: true }))).toBe('missing');
    expect(existsSync(join(folder, 'absent.db'))).toBe(false);
    mkdirSync(join(folder, 'folder.db'));
    expect(await codeOf(() => openStore(join(folder, 'folder.db')))).toBe('io');
    expect(await codeOf(() => openStore(join(text, 'below', 'runs.db')))).toBe('io');
  });

  test('what may not be looked at is not absent (catches "no runs yet" of a folder full of runs)', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'file'), '');
    symlinkSync(join(folder, 'a'), join(folder, 'b'));
    symlinkSync(join(folder, 'b'), join(folder, 'a'));
    for (const part of ['file', 'a'])
      expect(await codeOf(() => openStore(join(folder, part, 'runs.db'), { readOnly: true }))).toBe('io');
    // Whoever may do everything is refused nothing.
    if (process.getuid?.() === 0) return;
    chmodSync(folder, 0o000);
    onCleanup(() => chmodSync(folder, 0o700));
    expect(await codeOf(() => openStore(join(folder, 'runs.db'), { readOnly: true }))).toBe('io');
  });

  test('a file whose creation was cut off is completed (catches: a lab that never starts again)', () => {
    const path = join(temporaryFolder(), 'runs.db');
    const raw = new DatabaseSync(path);
    raw.exec('PRAGMA journal_mode = WAL');
    raw.close();
    expect(open(path).listRuns()).toEqual([]);
  });
});

describe('one writer, many readers', () => {
  test('a second writer is refused, naming the first; it may write once the first is closed (catches: two writers)', async () => {
    const store = newStore();
    expect(() => openStore(store.path)).toThrow(new RegExp(`process ${process.pid} .*is already writing`));
    expect(await codeOf(() => openStore(store.path))).toBe('locked');
    store.createRun(newRun());
    store.close();
    expect(open(store.path).countRuns()).toBe(1);
  });

  test('across processes, and a killed writer leaves nothing locked (catches: a stale lock after a crash)', async () => {
    const path = join(temporaryFolder(), 'runs.db');
    const store = openStore(path);
    const { id } = store.createRun(newRun());
    store.close();
    const script = fileURLToPath(new URL('crashWriter.ts', import.meta.url));
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', script, path, id], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const exited = once(child, 'exit');
    try {
      let text = '';
      await new Promise<void>((resolve) => {
        child.stdout.on('data', (data: Buffer) => {
          text += data.toString();
          if (text.includes('ack')) resolve();
        });
      });
      expect(() => openStore(path)).toThrow(new RegExp(`process ${child.pid} .*is already writing`));
      // Meanwhile anybody may read.
      const reader = open(path, { readOnly: true });
      expect(reader.getRun(id)!.steps).toBeGreaterThan(0);
      const begin = reader.readAll(id, 'tokens').step.length;
      // One read is one state of the database, even while another process commits between its statements.
      let grown = false;
      for (let i = 0; i < 5000 && !(grown && i >= 200); i++) {
        const [first, second] = reader.readMany([id, id], 'tokens', { maxPoints: 500 });
        expect(second).toEqual(first);
        grown = first.points > begin;
        // The output of the writer must be read, or it stops.
        await new Promise((resolve) => setImmediate(resolve));
      }
      expect(grown).toBe(true);
    } finally {
      child.kill('SIGKILL');
      await exited;
    }
    // The log of the killed writer is still there: a reader can use it, too.
    expect(open(path, { readOnly: true }).getRun(id)!.steps).toBeGreaterThan(0);
    expect(open(path).getRun(id)!.steps).toBeGreaterThan(0);
  });

  test('a reader sees each commit as a whole, while the writer goes on (catches: torn reads across statements)', async () => {
    const store = newStore();
    const { id } = store.createRun(newRun());
    const reader = open(store.path, { readOnly: true });
    for (let i = 0; i < 40; i++) {
      const steps = range(i * 100, (i + 1) * 100);
      void store.appendMetrics(id, [column('a', steps, (step) => step), column('b', steps, (step) => -step)], {
        steps: (i + 1) * 100,
      });
      store.flush();
      expect(reader.getRun(id)!.steps).toBe((i + 1) * 100);
      expect(reader.readAll(id, 'b').step).toHaveLength((i + 1) * 100);
      expect(reader.readSeries(id, 'a', { maxPoints: 10 }).step.at(-1)).toBe((i + 1) * 100 - 1);
    }
  });

  test('a reader changes nothing (catches: a viewer that can delete)', async () => {
    const store = newStore();
    const { id } = store.createRun(newRun());
    const reader = open(store.path, { readOnly: true });
    expect(await codeOf(() => reader.updateRun(id, { note: 'x' }))).toBe('read-only');
    expect(await codeOf(() => reader.appendMetrics(id, [column('m', [1], () => 1)]))).toBe('read-only');
    expect(await codeOf(() => reader.appendEvent({ runId: id, kind: 'log', message: 'x' }))).toBe('read-only');
    store.close();
    // Also without a writer that keeps the log file there.
    expect(open(store.path, { readOnly: true }).countRuns()).toBe(1);
  });
});

test('a closed store says so (catches: a crash deep inside SQLite)', async () => {
  const store = newStore();
  const { id } = store.createRun(newRun());
  store.close();
  store.close();
  expect(await codeOf(() => store.listRuns())).toBe('closed');
  expect(await codeOf(() => store.appendMetrics(id, []))).toBe('closed');
});
