import type { Handlers, Hub } from '../hub.ts';

export function updateRoutes({ updates }: Hub): Handlers<'updates'> {
  return {
    'updates.get': () => updates.state,
    'updates.switch': ({ on }) => updates.switch(on),
  };
}
