import type { Handlers, Hub } from '../hub.ts';

export function importRoutes({ imports }: Hub): Handlers<'import'> {
  return {
    'import.open': () => ({ id: imports.open() }),
    'import.files': ({ id, files }) => ({ numbers: imports.upload(id).tell(files) }),
    'import.send': async ({ id, parts }) => ({ received: await imports.upload(id).receive(parts) }),
    'import.preview': (asked, { signal }) => imports.preview(asked, signal),
    'import.write': ({ id }, { signal }) => imports.write(id, signal),
    'import.close': async ({ id }) => ({ closed: await imports.close(id) }),
  };
}
