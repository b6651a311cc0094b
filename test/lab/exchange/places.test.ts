import { expect, it } from 'vitest';
import { exportFiles, exportPieces } from '../../../main/lab/exchange/exports.ts';
import { exchangeFamily } from '../../../main/lab/exchange/index.ts';
import { builtInRegistry } from '../../../main/lab/settings/index.ts';
import type { Store } from '../../../main/store/index.ts';
import { storeInFolder } from './storeInFolder.ts';

let store: Store;
const registry = builtInRegistry();
storeInFolder((made) => ({ store } = made));

it('files carry the layer and the head behind the name of a metric (catches: layers that become one)', async () => {
  const { id } = store.createRun({ name: 'a', config: { ...registry.defaults }, seed: 1, settingKey: 'k' });
  const names = ['layer_grad_norm[0]', 'layer_grad_norm[11]', 'attention_entropy[11,3]', 'grad/norm'];
  await store.appendMetrics(
    id,
    names.map((metric, i) => ({ metric, steps: Float64Array.of(1, 2), values: Float64Array.of(i, i + 0.5) })),
  );
  const written = new Map<string, string>();
  for (const kind of registry.catalog.all(exchangeFamily)) {
    const wanted = { runs: store.listRuns() };
    const files = kind.files === undefined ? [] : exportFiles(store, registry, kind, wanted);
    const parts: Buffer[] = [];
    for (const { pieces } of files) for (const piece of pieces as Iterable<string>) parts.push(Buffer.from(piece));
    if (kind.files === undefined)
      for await (const piece of exportPieces(store, registry, kind, wanted) as AsyncIterable<string>)
        parts.push(Buffer.from(piece));
    written.set(kind.name, Buffer.concat(parts).toString('latin1'));
  }
  for (const format of ['csv-long', 'tensorboard', 'wandb'])
    for (const name of names) expect(written.get(format), `${format}: ${name}`).toContain(name);
});
