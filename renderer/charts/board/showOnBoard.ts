/** Opens the board of a sweep with some of its runs drawn and the others hidden; all else of its layout stays as it was. */
import { navigate } from '../../frame/router.ts';
import { useClient } from '../../stores/client.ts';
import { stateText, unpackState } from '../../../preload/charts/board/boardState.ts';

export async function showOnBoard(sweep: string, all: readonly string[], drawn: ReadonlySet<string>): Promise<void> {
  const saved = await useClient()
    .call('views.get', { key: `board:${sweep}` })
    // A layout that cannot be read is no reason to show nothing.
    .catch(() => ({ value: null }));
  const state = unpackState(saved.value);
  const hidden = all.filter((id) => !drawn.has(id));
  navigate('/board', { sweep, board: stateText({ ...state, search: '', only: '', hidden }) });
}
