import { expect, it } from 'vitest';
import { EXIT, exitCodeOf, InputError } from '../../main/cli/errors.ts';
import { RuleError } from '../../main/engine/graph/ops/optimizer.ts';
import { ShapeError } from '../../main/engine/graph/operation.ts';
import { ScheduleError } from '../../main/engine/optim/schedules/schedule.ts';
import { StopRuleError } from '../../main/engine/train/stopRules.ts';
import { StoreError } from '../../main/store/index.ts';

it.each([
  ['a setting', new InputError('x'), EXIT.badInput],
  ['a schedule that the plan cannot build', new ScheduleError('x'), EXIT.badInput],
  ['stop rules that the plan cannot build', new StopRuleError('x'), EXIT.badInput],
  ['shapes that a model cannot have', new ShapeError('x'), EXIT.badInput],
  ['a rule of an optimizer that gives nothing', new RuleError('x'), EXIT.badInput],
  ['a run that is not there', new StoreError('not-found', 'x'), EXIT.badInput],
  ['a full disk', new StoreError('full', 'x'), EXIT.failed],
  ['anything else', new Error('x'), EXIT.failed],
])('%s has its exit code (would catch bad input that looks like a failed run)', (_, error, code) => {
  expect(exitCodeOf(error)).toBe(code);
});
