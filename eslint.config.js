const tseslint = require('typescript-eslint');

/** Rooms that a room may not import from: imports point one way. */
const walls = (room, forbidden, extra = []) => ({
  files: [`src/${room}/**/*.ts`],
  rules: {
    'no-restricted-imports': [
      'error',
      {
        paths: ['child_process', 'node:child_process', 'vm', 'node:vm'],
        patterns: [
          { regex: forbidden, message: `src/${room} does not import from there; see CONTRIBUTING.md.` },
          ...extra,
        ],
      },
    ],
  },
});

module.exports = tseslint.config(
  {
    ignores: [
      'dist',
      'node_modules',
      'coverage',
      'demo-output',
      '**/.venv/**',
      'src/bytes/assembly/**',
      '**/*.generated.ts',
    ],
  },
  ...tseslint.configs.recommended,
  {
    files: ['**/*.js'],
    rules: { '@typescript-eslint/no-require-imports': 'off' },
  },
  {
    files: ['**/*.ts'],
    rules: {
      'no-empty': ['error', { allowEmptyCatch: false }],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/consistent-type-imports': [
        'error',
        { fixStyle: 'inline-type-imports', disallowTypeAnnotations: false },
      ],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
    },
  },
  {
    files: ['src/**/*.ts'],
    rules: {
      'max-lines': ['error', { max: 300 }],
      'no-console': 'error',
      // Modules that only some commands need are required where they are needed: `spec` must not load axios.
      '@typescript-eslint/no-require-imports': 'off',
      'no-restricted-syntax': [
        'error',
        {
          selector: "CallExpression[callee.name='require'] > :not(Literal).arguments",
          message: 'Only a fixed module may be required.',
        },
        {
          selector: "MemberExpression[object.name='process'][property.name='exit']",
          message: 'process.exit cuts off output that is still in the pipe; set process.exitCode.',
        },
        {
          selector: 'ImportSpecifier[imported.name=/^(Parse|ParseOne|Extract)$/]',
          message: 'unzipper.Parse corrupts large archives; use Open.custom over a finished file.',
        },
        {
          selector: "MemberExpression[object.name='Open'][property.name=/^(url|file)$/]",
          message: 'Use Open.custom: unzipper does not hear read errors of its own sources.',
        },
      ],
      'no-restricted-imports': ['error', { paths: ['child_process', 'node:child_process', 'vm', 'node:vm'] }],
    },
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['src/main.ts'],
    rules: {
      'no-restricted-globals': ['error', { name: 'process', message: 'Only main.ts touches process.' }],
    },
  },
  walls('protocol', '^\\.\\./(?!failure$)'),
  walls('amplitude', '^\\.\\./(?!failure$|time/)'),
  walls('bytes', '^\\.\\./'),
  walls('time', '^\\.\\./'),
  walls('streams', '^\\.\\./(?!failure$|time/|bytes/|amplitude/|protocol/)'),
);
