/** Ten million points from one file, by the command as it is started: how much memory and time it takes. */
import { spawn } from 'node:child_process';
import { createWriteStream, existsSync, readFileSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';
import { openStore } from '../../main/store/index.ts';
import { removeHome, temporaryHome } from '../cli/cli.ts';
import { shareOf } from './share.ts';

const BIN = fileURLToPath(new URL('../../main/cli/bin.js', import.meta.url));
const METRICS = 10;
const ROWS = shareOf(1_000_000, 20_000);
/** MiB: parcels of points, the database, Node itself. Holding the points alone would take 160 MiB more for each copy. */
const MOST_MEMORY = 512;
const home = temporaryHome();
afterAll(() => removeHome(home));

const valueOf = (row: number, metric: number): number => ((row * 7919 + metric * 104_729) % 1_000_003) / 1000;

async function written(path: string): Promise<void> {
  const file = createWriteStream(path);
  file.write(`step,${Array.from({ length: METRICS }, (_, metric) => `größe ${metric}/loss`).join(',')}\n`);
  for (let row = 0; row < ROWS; row += 1000) {
    const lines = Array.from({ length: 1000 }, (_, i) => {
      const values = Array.from({ length: METRICS }, (__, metric) => valueOf(row + i, metric));
      return `${[row + i, ...values].join(',')}\n`;
    });
    if (!file.write(lines.join(''))) await once(file, 'drain');
  }
  file.end();
  await once(file, 'finish');
}

it.skipIf(process.platform !== 'linux')(
  `imports ${ROWS * METRICS} points in bounded memory (would catch a reading that holds its file)`,
  async () => {
    const path = join(home, 'points.csv');
    await written(path);
    const begun = performance.now();
    const child = spawn(process.execPath, [BIN, '--data-dir', home, 'import', path], { stdio: 'ignore' });
    let peak = 0;
    const watch = setInterval(() => {
      const status = `/proc/${child.pid}/status`;
      if (existsSync(status)) peak = Number(/VmHWM:\s+(\d+)/u.exec(readFileSync(status, 'utf8'))?.[1] ?? peak);
    }, 100);
    const [code] = (await once(child, 'exit')) as [number];
    clearInterval(watch);
    expect(code).toBe(0);
    console.log(`${((performance.now() - begun) / 1000).toFixed(0)} s, at most ${Math.round(peak / 1024)} MiB`);
    expect(peak / 1024).toBeLessThan(MOST_MEMORY);
    const store = openStore(join(home, 'runs.sqlite'), { readOnly: true });
    const [run] = store.listRuns();
    for (let metric = 0; metric < METRICS; metric++) {
      const { step, value } = store.readAll(run!.id, `größe ${metric}/loss`);
      expect(step.length).toBe(ROWS);
      expect(value.every((each, row) => each === valueOf(row, metric))).toBe(true);
    }
    store.close();
  },
);
