import { afterEach, describe, expect, it, vi } from 'vitest';
import { Output } from '../../main/cli/output.ts';
import { printPlan } from '../../main/cli/plan.ts';
import type { SweepPlan } from '../../main/lab/sweeps/index.ts';
import { renderTable } from '../../main/cli/table.ts';

const ESC = '\u001B';
const EVIL = `${ESC}]0;title\u0007${ESC}[8mhidden\u202E`;
const SHOWN = '␛]0;title␇␛[8mhidden<U+202E>';

function terminal(isTTY: boolean, json = false) {
  const written: string[] = [];
  const sink = { isTTY, columns: 80, write: (text: string) => written.push(text) };
  return { output: new Output(json, sink, sink), text: () => written.join('') };
}

afterEach(() => vi.unstubAllEnvs());

it('a plan shows drawn numbers to the digits that tell them apart (would catch columns of sixteen)', () => {
  vi.stubEnv('NO_COLOR', '1');
  const { output, text } = terminal(false);
  const settings = [0.11619480974804369, 0.00048804181841255435, 0.11619999].map((lr) => ({ values: { lr } }));
  const empty = { seeds: [1], runs: settings, dropped: [], duplicates: 0, warnings: [] };
  printPlan(output, { ...empty, settings } as unknown as SweepPlan);
  expect(text().match(/\d+\.\d+/gu)).toEqual(['0.11619', '0.00048804', '0.1162']);
});

describe('texts from anywhere on their way to a terminal', () => {
  it.each([
    ['text', (output: Output) => output.text(EVIL)],
    ['note', (output: Output) => output.note(EVIL)],
    ['warn', (output: Output) => output.warn(EVIL)],
    ['error', (output: Output) => output.error(EVIL)],
    ['raw', (output: Output) => void output.raw(EVIL)],
  ])('%s writes no command of theirs', (_, write) => {
    vi.stubEnv('NO_COLOR', '1');
    const { output, text } = terminal(true);
    write(output);
    expect(text()).toContain(SHOWN);
    expect(text()).not.toContain(ESC);
  });

  it('keeps our own colours, and nothing inside or around them (would catch names that end or forge a colour)', () => {
    vi.stubEnv('NO_COLOR', '');
    const { output, text } = terminal(true);
    output.text(`${output.style('bold', EVIL)} ${EVIL}`);
    expect(text()).toBe(`${ESC}[1m${SHOWN}${ESC}[22m ${SHOWN}\n`);
  });

  it('columns of tables stay under one another with colours (would catch marks that are counted)', () => {
    vi.stubEnv('NO_COLOR', '');
    const { output, text } = terminal(true);
    output.text(
      renderTable(
        output,
        [{ title: 'name' }, { title: 'n', align: 'right' }],
        [
          ['ab', '1'],
          ['abcdef', '22'],
        ],
        0,
      ),
    );
    const plain = text()
      .split('\n')
      .map((line) => line.replaceAll(new RegExp(`${ESC}\\[\\d+m`, 'gu'), ''));
    expect(plain).toEqual(['name     n', 'ab       1', 'abcdef  22', '']);
  });

  it('a pipe gets CSV as it is, JSON stays JSON', () => {
    const pipe = terminal(false);
    pipe.output.raw(EVIL);
    expect(pipe.text()).toBe(EVIL);
    const json = terminal(true, true);
    json.output.data({ name: EVIL });
    for (const command of [ESC, '\u202E']) expect(json.text()).not.toContain(command);
    expect(JSON.parse(json.text())).toEqual({ name: EVIL });
  });
});
