import { createLogger } from '../../../src/protocol/log';
import type { LogMessage } from '../../../src/protocol/messages';

function logAll(debug: boolean): LogMessage['log'][] {
  const logs: LogMessage['log'][] = [];
  const logger = createLogger({ send: ({ log }) => logs.push(log) }, (text) => text.replace('key', '****'), {
    debug,
  });
  logger.error('e key');
  logger.warn('w key');
  logger.info('i key');
  logger.debug('d key');
  return logs;
}

describe('createLogger', () => {
  test('writes each level, redacted', () => {
    expect(logAll(true)).toEqual([
      { level: 'ERROR', message: 'e ****' },
      { level: 'WARN', message: 'w ****' },
      { level: 'INFO', message: 'i ****' },
      { level: 'DEBUG', message: 'd ****' },
    ]);
  });

  test('drops debug messages unless asked for', () => {
    expect(logAll(false).map(({ level }) => level)).toEqual(['ERROR', 'WARN', 'INFO']);
  });
});
