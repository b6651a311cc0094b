import '@fontsource-variable/inter/index.css';
import '@fontsource/jetbrains-mono/latin-400.css';
import '@fontsource/jetbrains-mono/latin-600.css';
import './tokens/tokens.css';
import './tokens/base.css';
import { createPinia } from 'pinia';
import { createApp } from 'vue';
import App from './App.vue';
import { connectLab } from './connect/index.ts';
import { startLab } from './start.ts';
import { setClient } from './stores/client.ts';

const app = createApp(App);
app.use(createPinia());
setClient(connectLab());
startLab();
app.mount('#app');
