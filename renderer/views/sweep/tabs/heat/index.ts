import { defineTab } from '../tab.ts';
import HeatTab from './HeatTab.vue';

export default defineTab({
  id: 'heat',
  label: 'Heat map',
  needs: ({ columns }) =>
    columns.length >= 2
      ? undefined
      : { title: 'A heat map needs two settings', text: 'In this sweep fewer than two settings differ.' },
  component: HeatTab,
});
