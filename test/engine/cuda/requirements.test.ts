import { expect, it } from 'vitest';
import { whyUnusable } from '../../../main/engine/executors/cuda/requirements.ts';

it.each([
  ['7.5', { driver: '580.82' }, 'NVIDIA X has compute capability 7.5; needed is 8.0 or more'],
  [
    '8.0',
    { driver: '460.106' },
    'NVIDIA X has a driver 460.106; cards of its kind need release 470 (CUDA 11.4) or later',
  ],
  ['8.9', { driver: '465.19' }, 'release 470'],
  ['9.0', { driver: '515.105.01' }, 'Hopper cards need release 520'],
  ['10.0', { driver: '565.77' }, 'Blackwell cards need release 570'],
  ['12.0', { driver: '566.36' }, 'Blackwell cards need release 570'],
  ['12.0', { cuda: 12_060 }, 'has a driver for CUDA 12.6; Blackwell cards need release 570 (CUDA 12.8) or later'],
  ['9.0', { cuda: 11_070 }, 'Hopper cards need release 520'],
  [null, { driver: '460.1' }, 'release 470'],
])('capability %s with %o cannot be used: %s', (capability, driver, why) => {
  expect(whyUnusable({ name: 'NVIDIA X', capability, ...driver })).toContain(why);
});

it.each([
  ['8.0', { driver: '470.57.02' }],
  ['8.0', { cuda: 11_040 }],
  ['8.6', { driver: '546.33' }],
  ['9.0', { driver: '520.61.05' }],
  ['10.3', { driver: '580.82' }],
  ['12.0', { driver: '570.0', cuda: 12_080 }],
  ['8.9', {}],
  [null, {}],
  ['8.9', { driver: 'unknown' }],
])('capability %s with %o can', (capability, driver) => {
  expect(whyUnusable({ name: 'NVIDIA X', capability, ...driver })).toBeUndefined();
});
