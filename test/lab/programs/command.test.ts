import { describe, expect, it } from 'vitest';
import {
  commandOf,
  commandProblems,
  commandText,
  settingsOf,
  withVariables,
} from '../../../main/lab/programs/command.ts';
import { Lines } from '../../../main/lab/programs/lines.ts';
import { rowOf } from '../../../main/lab/programs/metricLines.ts';
import { EMPTY_DRAFT } from '../../../preload/contract/draft.ts';
import { startsPrograms } from '../../../preload/shared/sweeps/programs.ts';

const config = { flag: true, lr: 1e-7, name: 'a b; rm -rf /', off: false, seed: 2 };

describe('what a sweep file starts', () => {
  it('is what `wandb agent` would start (would catch an argument that a script reads as something else)', () => {
    const whole = commandOf({ program: 'train.py' }, { lr: 0.1, seed: 2 });
    expect(whole.slice(-4)).toEqual(['python', 'train.py', '--lr=0.1', '--seed=2']);
    const each = (macro: string) => commandOf({ command: [macro] }, config);
    expect(each('${args}')).toEqual(['--flag=True', '--lr=1e-7', '--name=a b; rm -rf /', '--off=False', '--seed=2']);
    expect(each('${args_no_hyphens}')).toEqual(['flag=True', 'lr=1e-7', 'name=a b; rm -rf /', 'off=False', 'seed=2']);
    expect(each('${args_no_boolean_flags}')).toEqual(['--flag', '--lr=1e-7', '--name=a b; rm -rf /', '--seed=2']);
    expect(JSON.parse(each('${args_json}')[0]!)).toEqual(config);
  });

  it('never holds more than was written: a value that looks like a macro stays a value (would catch values that are expanded)', () => {
    expect(commandOf({ command: ['x', '${args}'] }, { a: '${program}' })).toEqual(['x', '--a=${program}']);
    expect(withVariables(['${envvar:A}/x', '${envvar:B}', '${args}'], { A: '${envvar:C}', C: 'no' })).toEqual([
      '${envvar:C}/x',
      '',
      '${args}',
    ]);
  });

  it('is refused with words where it cannot be started', () => {
    expect(commandProblems({ command: ['python', '${arg}'] })).toEqual([
      expect.stringContaining('${arg} is not known'),
    ]);
    expect(commandProblems({ command: ['sh', '-c', 'x ${args}'] })).toEqual([
      expect.stringContaining('an entry of its own'),
    ]);
    expect(commandProblems({})).toEqual([expect.stringContaining('program is missing')]);
    expect(commandProblems({ command: [] })).toEqual([expect.stringContaining('command is empty')]);
    expect(commandProblems({ command: ['x'], resume: ['${nope}'] })).toHaveLength(1);
    expect(commandProblems({ program: 'x.py', resume: ['--from', '${envvar:SWEEPLAB_RUN_DIR}/last.pt'] })).toEqual([]);
  });

  it('is a program only where nothing asks for a model of Sweeplab', () => {
    expect(startsPrograms({ ...EMPTY_DRAFT, program: 'train.py' })).toBe(true);
    expect(startsPrograms(EMPTY_DRAFT)).toBe(false);
    expect(startsPrograms({ ...EMPTY_DRAFT, program: 'train.py', recipe: 'quick' })).toBe(false);
  });

  it('reads as typed, and back as settings', () => {
    expect(commandText(['python', 'a b.py', "it's"])).toBe(String.raw`python 'a b.py' 'it'\''s'`);
    expect(
      settingsOf(['python', 't.py', '--lr', '1e-3', '--big-model', '--x=-1', '--y', '-2', '--name=', '-v']),
    ).toEqual({
      lr: 0.001,
      big_model: true,
      x: -1,
      y: -2,
      name: '',
    });
  });
});

describe('what a program prints', () => {
  it('comes as lines whatever the pieces, and a bar is its last state (would catch a letter cut in two)', () => {
    const bytes = Buffer.from('ä\n10 %\r50 %\r100 %\nwindows\r\nrest');
    for (let size = 1; size <= bytes.length; size++) {
      const lines = new Lines();
      const found: string[] = [];
      for (let at = 0; at < bytes.length; at += size) found.push(...lines.take(bytes.subarray(at, at + size)));
      expect([...found, ...lines.end()]).toEqual(['ä', '100 %', 'windows', 'rest']);
    }
  });

  it('is bounded: a line without an end is skipped, what follows is not (would catch memory that grows)', () => {
    const lines = new Lines();
    for (let i = 0; i < 40; i++) expect(lines.take(Buffer.alloc(1 << 16, 'x'))).toEqual([]);
    expect(lines.take(Buffer.from('end\nnext\n'))).toEqual(['next']);
    expect(lines.skipped).toBe(1);
    expect(lines.end()).toEqual([]);
  });

  it('is a point where it is JSON with a step and a number (would catch a log in JSON that becomes curves)', () => {
    expect(rowOf('{"step": 3, "loss": NaN, "tag": "x"}')).toMatchObject({ step: 3, values: { loss: 'NaN' } });
    expect(rowOf(' {"epoch": 1, "global_step": 7, "eval": {"loss": 2}} ')).toMatchObject({ step: 7 });
    expect(rowOf('{"iter": 2, "loss": 1, "elapsed": 5}')).toMatchObject({ step: 2, seconds: 5 });
    for (const line of [
      '{"level": "info", "time": 12}',
      '{"step": 1}',
      '{"step": "1", "a": 2}',
      '[1]',
      'null',
      '{',
      '{}',
    ])
      expect(rowOf(line)).toBeUndefined();
    // In a file of points the place of a line is its step.
    expect(rowOf('{"loss": 1}', 9)).toMatchObject({ step: 9 });
    expect(rowOf('{"a": "text"}', 9)).toBeUndefined();
  });
});
