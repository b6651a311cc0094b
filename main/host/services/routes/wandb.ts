import type { Handlers, Hub } from '../hub.ts';

export function wandbRoutes({ wandb }: Hub): Handlers<'wandb'> {
  return {
    'wandb.get': () => wandb.state,
    'wandb.switch': ({ on }) => wandb.switch(on),
    'wandb.revoke': () => wandb.revoke(),
  };
}
