/** The tabs of a sweep, in their order. The first is shown when the address names none. */
import heat from './heat/index.ts';
import importance from './importance/index.ts';
import parallel from './parallel/index.ts';
import pareto from './pareto/index.ts';
import type { SweepTab } from './tab.ts';
import trend from './trend/index.ts';

export const TABS: readonly SweepTab[] = [parallel, importance, heat, trend, pareto];
