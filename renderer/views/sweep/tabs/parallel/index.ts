import { defineTab, hasNumbers } from '../tab.ts';
import ParallelTab from './ParallelTab.vue';

export default defineTab({
  id: 'parallel',
  label: 'Parallel',
  needs: (ranking) =>
    ranking.columns.length > 0 && hasNumbers(ranking)
      ? undefined
      : {
          title: 'Nothing to compare yet',
          text: 'Parallel coordinates need a setting that differs, and a run with a number.',
        },
  component: ParallelTab,
});
