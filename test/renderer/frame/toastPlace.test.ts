/** Messages and the buttons beneath them. */
import { expect, test } from 'vitest';
import { Stream } from '../../../main/engine/random/stream.ts';
import { type Box, liftOver } from '../../../renderer/frame/toastPlace.ts';

const meet = (a: Box, b: Box): boolean => a.left < b.right && a.right > b.left && a.top < b.bottom && a.bottom > b.top;
const box = (left: number, top: number, width: number, height: number): Box => ({
  left,
  right: left + width,
  top,
  bottom: top + height,
});

test('stand above a button that is as wide as the window, and where they are beside one (would catch a covered Launch)', () => {
  const stack = box(254, 788, 440, 44);
  expect(liftOver(stack, [box(64, 799, 820, 36)])).toBe(832 - 799 + 8);
  expect(liftOver(stack, [box(800, 799, 84, 36)])).toBe(0);
  expect(liftOver(stack, [box(254, 832, 440, 36)])).toBe(0);
  // Where a window has no room above it they stay in sight.
  expect(liftOver(box(254, 30, 440, 44), [box(64, 40, 820, 36)])).toBe(0);
});

test('cover none of many buttons, and stand no higher than they must', () => {
  const seed = Number(process.env.SWEEPLAB_TEST_SEED ?? Date.now() % 1e6);
  const random = new Stream(seed, 'buttons');
  for (let round = 0; round < 500; round++) {
    const stack = box(random.int(500), 500 + random.int(300), 440, 40 + random.int(150));
    const buttons = Array.from({ length: random.int(6) }, () =>
      box(random.int(900), 300 + random.int(550), 40 + random.int(400), 24 + random.int(16)),
    );
    const about = `seed ${seed}, round ${round}`;
    const lift = liftOver(stack, buttons);
    const at = (by: number): Box => ({ ...stack, top: stack.top - by, bottom: stack.bottom - by });
    const covers = (by: number): boolean => buttons.some((button) => meet(at(by), button));
    // There is always room above all of them here.
    expect(covers(lift), about).toBe(false);
    // One pixel more than the gap to the button beneath would cover it.
    if (lift > 0) expect(covers(lift - 9), about).toBe(true);
  }
});
