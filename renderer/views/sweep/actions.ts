/** What can be done with a sweep, for its menu in the list and on its page. */
import type { SweepRecord } from '../../../preload/contract/runs.ts';
import type { MenuEntry } from '../../components/menu.ts';
import { navigate, place } from '../../frame/router.ts';
import { useSweeps } from '../../stores/sweeps.ts';

export function sweepMenu(sweep: SweepRecord): MenuEntry[] {
  const sweeps = useSweeps();
  const { counts, id } = sweep;
  const active = counts.queued + counts.running > 0 && sweep.state !== 'stopped';
  async function remove(): Promise<void> {
    const shown = place.value.route.name === 'sweep' && place.value.params['id'] === id;
    // What is gone must not stay on the screen as an empty page.
    if ((await sweeps.remove(id)) && shown) navigate('/sweeps');
  }
  return [
    { label: 'Show on the board', icon: 'chart', run: () => navigate('/board', { sweep: id }) },
    { label: 'Adapt in the builder', icon: 'sliders', run: () => navigate('/builder', { sweep: id }) },
    'line',
    ...(active ? [{ label: 'Stop', icon: 'stop' as const, run: () => sweeps.stop(id) }] : []),
    ...(counts.stopped > 0 || sweep.state === 'paused'
      ? [{ label: 'Resume', icon: 'play' as const, run: () => sweeps.resume(id) }]
      : []),
    ...(counts.failed > 0
      ? [{ label: `Retry ${counts.failed} failed`, icon: 'refresh' as const, run: () => sweeps.retryFailed(id) }]
      : []),
    { label: 'Delete', icon: 'trash', danger: true, disabled: counts.running > 0, run: remove },
  ];
}
