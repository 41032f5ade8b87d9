/**
 * Tests of the built image: `npm run test:image`.
 * They share one engine and two cores, so one file runs after another.
 * @type {import('jest').Config}
 */
module.exports = {
  rootDir: '..',
  testEnvironment: 'node',
  roots: ['<rootDir>/integration_tests/image'],
  testMatch: ['**/*.test.ts'],
  transform: { '^.+\\.ts$': ['ts-jest', { diagnostics: false }] },
  globalSetup: '<rootDir>/integration_tests/image/build-image.ts',
  testTimeout: 600_000,
  maxWorkers: 1,
};
