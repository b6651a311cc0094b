/** The desktop app on each of its hosts: the stand-in for Electron, and Electron itself where its program is. */
import { describeDesktop } from './desktopSteps.ts';

await describeDesktop('stand-in');
await describeDesktop('Electron');
