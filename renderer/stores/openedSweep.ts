/** A sweep file that the desktop app was asked to open, until the builder takes it. */
import { shallowRef } from 'vue';

export const openedSweep = shallowRef<{ readonly name: string; readonly text: string } | null>(null);
