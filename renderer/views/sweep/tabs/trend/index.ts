import { defineTab } from '../tab.ts';
import TrendTab from './TrendTab.vue';

export default defineTab({
  id: 'trend',
  label: 'Trend',
  needs: ({ columns }) =>
    columns.length > 0 ? undefined : { title: 'No setting differs', text: 'A trend needs a setting with two values.' },
  component: TrendTab,
});
