/** The desktop app on each of its hosts: the stand-in for Electron, and Electron itself where its program is. */
import { describeDesktop } from './desktopSteps/index.ts';

/** Another built app than that of this repository: one with a fault (test/long/desktopFaults.test.ts). */
const app = process.env.SWEEPLAB_DESKTOP_APP;

await describeDesktop('stand-in', app);
await describeDesktop('Electron', app);
