/** Every view. They are loaded when first shown, so the first paint carries only the frame and the start view. */
import type { RouteDefinition } from './frame/router.ts';

export const ROUTES: readonly RouteDefinition[] = [
  { name: 'start', path: '/', title: 'Start', rail: 'start', component: () => import('./views/start/StartView.vue') },
  {
    name: 'builder',
    path: '/builder',
    title: 'Builder',
    rail: 'builder',
    component: () => import('./views/builder/BuilderView.vue'),
  },
  {
    name: 'program',
    path: '/program',
    title: 'Program',
    rail: 'builder',
    component: () => import('./views/program/ProgramView.vue'),
  },
  { name: 'fit', path: '/fit', title: 'Fit', rail: 'fit', component: () => import('./views/fit/FitView.vue') },
  {
    name: 'board',
    path: '/board',
    title: 'Board',
    rail: 'board',
    component: () => import('./views/board/BoardView.vue'),
  },
  {
    name: 'sweeps',
    path: '/sweeps',
    title: 'Sweeps',
    rail: 'sweeps',
    component: () => import('./views/sweep/SweepsView.vue'),
  },
  {
    name: 'sweep',
    path: '/sweep/:id',
    title: 'Sweep',
    rail: 'sweeps',
    component: () => import('./views/sweep/SweepView.vue'),
  },
  { name: 'run', path: '/run/:id', title: 'Run', rail: 'sweeps', component: () => import('./views/run/RunView.vue') },
  {
    name: 'queue',
    path: '/queue',
    title: 'Queue',
    rail: 'queue',
    component: () => import('./views/queue/QueueView.vue'),
  },
  { name: 'data', path: '/data', title: 'Data', rail: 'data', component: () => import('./views/data/DataView.vue') },
  {
    name: 'settings',
    path: '/settings',
    title: 'Settings',
    rail: 'settings',
    component: () => import('./views/help/SettingsView.vue'),
  },
  { name: 'help', path: '/help', title: 'Help', rail: 'help', component: () => import('./views/help/HelpView.vue') },
  {
    name: 'guide',
    path: '/help/:page',
    title: 'Help',
    rail: 'help',
    component: () => import('./views/help/HelpView.vue'),
  },
];
