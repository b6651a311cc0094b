import { defineTab, hasNumbers } from '../tab.ts';
import ParetoTab from './ParetoTab.vue';

export default defineTab({
  id: 'pareto',
  label: 'Pareto',
  needs: (ranking) =>
    hasNumbers(ranking)
      ? undefined
      : { title: 'No numbers yet', text: 'The front appears with the first run that ends.' },
  component: ParetoTab,
});
