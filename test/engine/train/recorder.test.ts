import { describe, expect, test } from 'vitest';
import { FLUSH_POINTS, MetricRecorder } from '../../../main/engine/train/recorder.ts';
import type { CarriedPoints } from '../../../main/engine/train/recorder.ts';
import type { MetricColumn } from '../../../preload/contract/metrics.ts';
import { Stream } from '../../../main/engine/random/stream.ts';

/** A run database in a few lines: series by metric; refuses a step that is not after the last, as the real one does. */
class Database {
  readonly series = new Map<string, [number, number][]>();

  commit(columns: readonly MetricColumn[]): void {
    for (const { metric, steps, values } of columns) {
      const points = this.series.get(metric) ?? [];
      steps.forEach((step, i) => {
        if (points.length > 0 && step <= points.at(-1)![0]) throw new Error(`${metric}: step ${step} is not new`);
        points.push([step, values[i]!]);
      });
      this.series.set(metric, points);
    }
  }

  truncateAfter(step: number): void {
    for (const [metric, points] of this.series) {
      const kept = points.filter(([at]) => at <= step);
      if (kept.length > 0) this.series.set(metric, kept);
      else this.series.delete(metric);
    }
  }
}

/** What a run records at each step: always two metrics, at every third a third one, afterwards, as an evaluation does. */
function recordStep(recorder: MetricRecorder, step: number): void {
  recorder.record(step, { 'train/loss': 1 / step, lr: step === 5 ? NaN : step });
  recorder.tick();
  if (step % 3 === 0) recorder.record(step, { 'val/loss': -step });
  recorder.tick();
}

function undisturbed(steps: number) {
  const database = new Database();
  const recorder = new MetricRecorder((_seq, columns) => database.commit(columns));
  for (let step = 1; step <= steps; step++) recordStep(recorder, step);
  recorder.flush();
  return database.series;
}

describe('metric recorder', () => {
  test('sends at most 1,024 points at once and nothing before its time (catches a message per point)', () => {
    let now = 0;
    const sent: number[] = [];
    const recorder = new MetricRecorder(
      (_seq, columns) => sent.push(columns.reduce((total, column) => total + column.steps.length, 0)),
      () => now,
    );
    for (let step = 1; step <= 600; step++) {
      recorder.record(step, { a: 1, b: 2 });
      recorder.tick();
    }
    expect(sent).toEqual([FLUSH_POINTS]);
    now = 49;
    recorder.tick();
    expect(sent).toHaveLength(1);
    now = 50;
    recorder.tick();
    expect(sent).toEqual([1024, 176]);
  });

  test('a checkpoint carries its own step and whatever is not acknowledged, NaN included', () => {
    const seqs: number[] = [];
    const recorder = new MetricRecorder((seq) => seqs.push(seq));
    for (let step = 1; step <= 4; step++) recordStep(recorder, step);
    expect(recorder.carry(4).keepUpTo).toBe(0);
    recorder.flush();
    recorder.acknowledge(seqs.at(-1)!);
    const clean = recorder.carry(4);
    expect(clean.keepUpTo).toBe(3);
    expect(clean.columns.map((column) => column.metric)).toEqual(['train/loss', 'lr']);
    recordStep(recorder, 5);
    recordStep(recorder, 6);
    const open = recorder.carry(6);
    expect(open.keepUpTo).toBe(4);
    const again = new Database();
    const restored = new MetricRecorder((_seq, columns) => again.commit(columns));
    restored.restore(JSON.parse(JSON.stringify(open)) as CarriedPoints);
    restored.flush();
    expect(again.series.get('lr')).toEqual([
      [5, NaN],
      [6, 6],
    ]);
    expect(again.series.get('val/loss')).toEqual([[6, -6]]);
  });

  // The property that resuming rests on, with the host, the engine or both killed at random moments.
  test('whatever was committed, acknowledged or lost, database and checkpoint together give the undisturbed series', () => {
    const wanted = undisturbed(60);
    const random = new Stream(11, 'kills');
    let kills = 0;
    for (let round = 0; round < 300; round++) {
      const database = new Database();
      let checkpoint: { step: number; points: CarriedPoints } | undefined;
      for (let attempt = 0; ; attempt++) {
        const killAt = attempt < 6 ? random.int(1500) : Infinity;
        if (run(database, checkpoint, killAt, (saved) => (checkpoint = saved), random)) break;
        kills++;
      }
      expect(database.series).toEqual(wanted);
    }
    expect(kills).toBeGreaterThan(300);
  });

  /** One process; false when it was killed. Messages are committed late and acknowledgements arrive later still. */
  function run(
    database: Database,
    checkpoint: { step: number; points: CarriedPoints } | undefined,
    killAt: number,
    save: (saved: { step: number; points: CarriedPoints }) => void,
    random: Stream,
  ): boolean {
    const channel: { seq: number; columns: readonly MetricColumn[] }[] = [];
    const acknowledgements: number[] = [];
    let events = 0;
    const recorder = new MetricRecorder(
      (seq, columns) => channel.push({ seq, columns }),
      () => random.int(200),
    );
    const pump = () => {
      while (channel.length > 0 && random.int(3) > 0) {
        const { seq, columns } = channel.shift()!;
        database.commit(columns);
        acknowledgements.push(seq);
      }
      while (acknowledgements.length > 0 && random.int(3) > 0) recorder.acknowledge(acknowledgements.shift()!);
      if ((events += 10) <= killAt) return false;
      // Killed: what was on its way is committed up to some message, or not at all.
      for (const { columns } of channel.slice(0, random.int(channel.length + 1))) database.commit(columns);
      return true;
    };
    database.truncateAfter(checkpoint?.points.keepUpTo ?? -1);
    if (checkpoint !== undefined) recorder.restore(checkpoint.points);
    for (let step = (checkpoint?.step ?? 0) + 1; step <= 60; step++) {
      recordStep(recorder, step);
      if (pump()) return false;
      if (step % 7 === 0) save({ step, points: recorder.carry(step) });
      if (pump()) return false;
    }
    recorder.flush();
    for (const { columns } of channel) database.commit(columns);
    return true;
  }

  test('training waits for a host that falls far behind, until it acknowledges or the wait is released', async () => {
    const seqs: number[] = [];
    const recorder = new MetricRecorder((seq) => seqs.push(seq));
    const waits = (): Promise<boolean> =>
      Promise.race([
        recorder.room().then(() => false),
        new Promise<boolean>((resolve) => setImmediate(() => resolve(true))),
      ]);
    for (let step = 1; step <= 100_000; step++) recorder.record(step, { a: 1 });
    expect(await waits()).toBe(false);
    recorder.record(100_001, { a: 1 });
    expect(await waits()).toBe(true);
    const waiting = recorder.room();
    recorder.acknowledge(1);
    await waiting;
    expect(await waits()).toBe(false);
    for (let step = 100_002; step <= 103_000; step++) recorder.record(step, { a: 1 });
    const released = recorder.room();
    recorder.release();
    await released;
  });

  test('acknowledged points are let go (catches memory that grows with the run)', () => {
    const recorder = new MetricRecorder((seq) => recorder.acknowledge(seq));
    for (let step = 1; step <= 5000; step++) recorder.record(step, { a: step });
    recorder.flush();
    expect(recorder.carry(5000).columns[0]!.steps.length).toBeLessThan(20);
    expect(recorder.carry(5000).keepUpTo).toBe(4999);
  });
});
