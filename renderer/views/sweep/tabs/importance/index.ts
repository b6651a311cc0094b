import { defineTab } from '../tab.ts';
import ImportanceTab from './ImportanceTab.vue';

export default defineTab({
  id: 'importance',
  label: 'Importance',
  // What is too little for a forest is said beside the table.
  needs: () => undefined,
  component: ImportanceTab,
});
