import { defineAverage, NONE } from './average.ts';

export const none = defineAverage({ name: NONE, help: 'Keeps no average: the weights are those of the latest step.' });
