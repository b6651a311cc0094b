import { ref } from 'vue';

export const paletteOpen = ref(false);
export const keysOpen = ref(false);
export const inviteOpen = ref(false);
