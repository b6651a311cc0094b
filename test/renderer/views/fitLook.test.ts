import { expect, it } from 'vitest';
import { fitLook } from '../../../renderer/components/states.ts';

it('a run of months is no green "fits" (would catch a year of training that looks fine)', () => {
  const day = 86_400;
  expect(fitLook('fits', 65 * day)).toMatchObject({ tone: 'warn', label: 'fits, too slow here' });
  expect(fitLook('fits', 6 * day)).toMatchObject({ tone: 'good', label: 'fits' });
  expect(fitLook('fits', undefined)).toMatchObject({ tone: 'good' });
  // Slowness never hides that it does not fit.
  expect(fitLook('does not fit', 65 * day)).toMatchObject({ tone: 'bad', label: 'does not fit' });
});
