import { machineFindings } from '../../checkup.ts';
import type { Handlers, Hub } from '../hub.ts';

export function setupRoutes({ cudaSetup, lab }: Hub): Handlers<'setup'> {
  return {
    'setup.machine': async () => ({ findings: await machineFindings(lab.paths) }),
    'setup.get': () => cudaSetup.state,
    'setup.fetch': () => cudaSetup.fetch(),
    'setup.accept': () => cudaSetup.accept(),
    'setup.cancel': () => cudaSetup.cancel(),
  };
}
