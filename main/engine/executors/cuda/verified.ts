/** Cards on which every kernel has been compared with the other executors (`npm run test:gpu`). */
const VERIFIED_ON: readonly string[] = [];

/** Said wherever the executor is offered, until it has run on a card. */
export const UNVERIFIED: string | undefined = VERIFIED_ON.length === 0 ? 'not yet verified on a GPU' : undefined;
