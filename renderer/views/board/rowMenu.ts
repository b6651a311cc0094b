/** What can be done with a row of the list: a run, or a group of runs. */
import { configDifference } from '../../../preload/shared/results/groups.ts';
import { hasTerm, termOf, toggleTerm } from '../../../preload/shared/runFilter.ts';
import { formatSetting, plural } from '../../../preload/shared/format.ts';
import type { Board } from '../../charts/board/useBoard.ts';
import type { MenuEntry } from '../../components/menu.ts';
import { navigate } from '../../frame/router.ts';
import { exportRuns } from '../../stores/exportRuns.ts';
import { useKinds } from '../../stores/kinds.ts';
import { useRuns } from '../../stores/runs.ts';
import type { Row } from './runRows.ts';

export interface RowContext {
  readonly board: Board;
  readonly visible: boolean;
  /** Shows or hides; `alone`: shows nothing else, or all again. */
  readonly toggle: (row: Row, alone: boolean) => void;
}

/** More conditions than this would fill the menu. */
const MOST_TERMS = 4;

/** The conditions of the search that this row meets: `lr=0.003`. */
export function termsOf(row: Row, board: Pick<Board, 'all' | 'settings'>): string[] {
  const members = board.all.value.filter(({ id }) => row.ids.includes(id));
  const [first] = members;
  if (first === undefined) return [];
  return board.settings.value
    .filter((name) => name !== 'seed' && first.config[name] !== undefined)
    .filter((name) => members.every(({ config }) => config[name] === first.config[name]))
    .slice(0, MOST_TERMS)
    .map((name) => termOf(name, '=', String(first.config[name])));
}

export function rowMenu(row: Row, { board, visible, toggle }: RowContext): MenuEntry[] {
  const runs = useRuns();
  const { state } = board;
  const { run } = row;
  const many = row.ids.length > 1;
  const training = row.ids.filter((id) => ['running', 'queued'].includes(runs.get(id)?.state ?? ''));
  const resumable = row.ids.filter((id) => ['stopped', 'failed'].includes(runs.get(id)?.state ?? ''));
  const what = many ? plural(row.ids.length, 'run') : 'run';
  const filters = termsOf(row, board).map((term): MenuEntry => ({
    label: hasTerm(state.value.search, term) ? `No longer only ${term}` : `Only ${term}`,
    icon: 'filter',
    run: () => (state.value.search = toggleTerm(state.value.search, term)),
  }));
  const opening: MenuEntry[] =
    run === undefined
      ? []
      : [
          { label: 'Open', icon: 'right', key: 'Enter', run: () => board.open(run.id) },
          { label: 'Configuration', icon: 'list', run: () => navigate(`/run/${run.id}`, { tab: 'config' }) },
          ...compared(row, board),
          { label: 'Edit as new sweep', icon: 'sliders', run: () => navigate('/builder', { from: run.id }) },
          'line',
        ];
  return [
    ...opening,
    { label: visible ? 'Hide' : 'Show', icon: visible ? 'eyeOff' : 'eye', key: 'Space', run: () => toggle(row, false) },
    { label: 'Show only this, or all again', icon: 'eye', key: 'Shift Space', run: () => toggle(row, true) },
    ...filters,
    'line',
    ...(training.length > 0
      ? [{ label: `Stop ${what}`, icon: 'stop' as const, run: () => Promise.all(training.map(runs.stop)) }]
      : []),
    ...(resumable.length > 0
      ? [{ label: `Resume ${what}`, icon: 'play' as const, run: () => Promise.all(resumable.map(runs.resume)) }]
      : []),
    ...useKinds().formats.map((format): MenuEntry => ({
      label: `Export ${what}: ${format.label}`,
      icon: 'download',
      run: () => exportRuns(format, row.ids, row.label),
    })),
    ...(run === undefined
      ? []
      : ([
          'line',
          {
            label: 'Delete',
            icon: 'trash',
            danger: true,
            disabled: run.state === 'running',
            run: () => runs.remove(run.id),
          },
        ] as const)),
  ];
}

/** With the best run's configuration, said by what differs: `lr 0.003 → 0.01`. */
function compared({ run }: Row, board: Board): MenuEntry[] {
  const best = board.results.value.best?.runs[0];
  if (run === undefined || best === undefined || best.id === run.id) return [];
  const different = configDifference(best.config, run.config).filter(({ setting }) => setting !== 'seed');
  if (different.length === 0) return [];
  const words = different
    .slice(0, 3)
    .map(({ setting }) => `${setting} ${formatSetting(best.config[setting])} → ${formatSetting(run.config[setting])}`);
  return [
    {
      label: 'Compare with the best setting',
      note: `${words.join(', ')}${different.length > 3 ? `, ${different.length - 3} more` : ''}`,
      icon: 'layers',
      run: () => navigate(`/run/${run.id}`, { tab: 'config', with: best.id }),
    },
  ];
}
