/** The templates of the interface: oxlint reads scripts and sees nothing of them. Run by `npm run lint`. */
import typescript from '@typescript-eslint/parser';
import vue from 'eslint-plugin-vue';

export default [
  ...vue.configs['flat/essential'],
  {
    files: ['**/*.vue'],
    languageOptions: { parserOptions: { parser: typescript, sourceType: 'module' } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      // The content security policy refuses both, and HTML from strings could run.
      'vue/no-v-html': 'error',
      'vue/no-static-inline-styles': 'error',
      'vue/no-template-target-blank': 'error',
      // Names that are written but mean nothing, and names that are nowhere used.
      'vue/no-undef-components': 'error',
      'vue/no-unused-emit-declarations': 'error',
      'vue/no-unused-refs': 'error',
      'vue/no-unused-properties': 'error',
      'vue/require-explicit-emits': 'error',
      'vue/no-ref-object-reactivity-loss': 'error',
      // One way to write each thing.
      'vue/component-name-in-template-casing': ['error', 'PascalCase', { registeredComponentsOnly: false }],
      'vue/eqeqeq': ['error', 'always', { null: 'ignore' }],
      'vue/no-useless-v-bind': 'error',
      'vue/prefer-true-attribute-shorthand': 'error',
      'vue/no-duplicate-attr-inheritance': 'error',
      'vue/no-multiple-objects-in-class': 'error',
      'vue/block-order': ['error', { order: ['script', 'template', 'style'] }],
      'vue/define-macros-order': 'off',
    },
  },
];
