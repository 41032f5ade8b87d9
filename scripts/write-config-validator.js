// Compiles the specification's JSON schema into dist/config-validator.js: a plain function, so that no command loads ajv, which
// takes more time than all the rest of `discover`. Part of `npm run build`.
'use strict';
const { writeFileSync } = require('node:fs');
const { join } = require('node:path');
const { Ajv } = require('ajv');
const { default: standaloneCode } = require('ajv/dist/standalone');
const { connectionSpecification } = require('../spec.json');

/** Airbyte's own keywords say nothing about validity. */
const VOCABULARY = [
  'airbyte_secret',
  'airbyte_hidden',
  'always_show',
  'order',
  'group',
  'multiline',
  'pattern_descriptor',
];

const ajv = new Ajv({ allErrors: true, allowUnionTypes: true, strict: true, code: { source: true } });
ajv.addVocabulary(VOCABULARY);
const code = standaloneCode(ajv, ajv.compile(connectionSpecification));
if (code.includes('require(')) {
  throw new Error(
    'The compiled validator needs a module of ajv at run time, which is no dependency of the image.',
  );
}
writeFileSync(join(__dirname, '..', 'dist', 'config-validator.js'), code);
