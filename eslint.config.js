const tseslint = require('typescript-eslint');

/** Modules that start other programs, run text as code, or lead around these rules. */
const FORBIDDEN_MODULES = [
  'child_process',
  'cluster',
  'module',
  'process',
  'console',
  'vm',
  'worker_threads',
];
const FORBIDDEN_MODULE = `/^(node:)?(${FORBIDDEN_MODULES.join('|')})$/`;
const FORBIDDEN_IMPORTS = [
  ...FORBIDDEN_MODULES.flatMap((name) => [name, `node:${name}`]).filter(
    (name) => name !== 'node:worker_threads',
  ),
  {
    name: 'node:worker_threads',
    allowImportNames: ['MessageChannel', 'isMarkedAsUntransferable'],
    message: 'A worker runs a file by its name.',
  },
  {
    name: 'unzipper',
    allowImportNames: ['Open', 'File'],
    message: 'unzipper.Parse corrupts large archives; use Open.custom over a finished file.',
  },
];

/** Rooms that a room may not import from: imports point one way. */
const walls = (room, forbidden) => ({
  files: [`src/${room}/**/*.ts`],
  rules: {
    'no-restricted-imports': [
      'error',
      {
        paths: FORBIDDEN_IMPORTS,
        patterns: [
          { regex: forbidden, message: `src/${room} does not import from there; see CONTRIBUTING.md.` },
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
    linterOptions: { noInlineConfig: true },
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
          selector: "Identifier[name='require']:not(CallExpression > .callee)",
          message: 'require is only called; under another name nobody sees what it loads.',
        },
        {
          selector: `CallExpression[callee.name='require'] > Literal[value=${FORBIDDEN_MODULE}]`,
          message: 'This module is not used in src.',
        },
        {
          selector: "CallExpression[callee.name='require'] > Literal[value='unzipper']",
          message: 'Import { Open } from unzipper: only an import shows what is taken out of it.',
        },
        {
          selector: 'ImportExpression',
          message: 'Use import, or require of a fixed module where loading can wait.',
        },
        {
          selector: 'TSImportEqualsDeclaration > TSExternalModuleReference',
          message: 'Use import, or require of a fixed module where loading can wait.',
        },
        {
          selector: "MemberExpression[object.name='process'][property.name=/^(exit|reallyExit|abort)$/]",
          message: 'process.exit cuts off output that is still in the pipe; set process.exitCode.',
        },
        {
          selector: "MemberExpression[object.name='process'][property.name='getBuiltinModule']",
          message: 'Only a fixed module may be required.',
        },
        {
          selector: "MemberExpression[object.name='process'][computed=true]",
          message: 'By a computed name every rule about process would be got around.',
        },
        {
          selector: "VariableDeclarator[init.name='process'] > ObjectPattern",
          message: 'Under another name process.exit would not be seen.',
        },
        {
          selector: 'MemberExpression[object.name=/^(globalThis|global)$/]',
          message: 'Globals are used by their own name, where the other rules see them.',
        },
        {
          selector: 'ImportSpecifier[imported.name=/^(Parse|ParseOne|Extract)$/]',
          message: 'unzipper.Parse corrupts large archives; use Open.custom over a finished file.',
        },
        {
          selector:
            "Identifier[name='Open']:not(ImportSpecifier > Identifier, MemberExpression > .object, TSQualifiedName > .left)",
          message: 'Open.custom is called by this name, so that other sources are seen.',
        },
        {
          selector:
            "MemberExpression[object.name='Open']:matches([computed=true], [property.name!='custom'])",
          message: 'Use Open.custom: unzipper does not hear read errors of its own sources.',
        },
      ],
      'no-restricted-imports': ['error', { paths: FORBIDDEN_IMPORTS }],
      'no-eval': 'error',
      'no-new-func': 'error',
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
