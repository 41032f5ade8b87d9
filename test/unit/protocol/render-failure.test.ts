import { ConnectorFailure } from '../../../src/failure';
import { createRedactor } from '../../../src/protocol/redact';
import { renderFailure } from '../../../src/protocol/render-failure';

const redact = createRedactor(['tops3cret']);

describe('renderFailure', () => {
  test.each([
    ['config', 'config_error'],
    ['transient', 'transient_error'],
    ['system', 'system_error'],
  ] as const)('a %s failure is a %s', (kind, type) => {
    expect(renderFailure(new ConnectorFailure(kind, 'what to do', 'GET / 500'), redact)).toMatchObject({
      message: 'what to do',
      internal_message: 'GET / 500',
      failure_type: type,
    });
  });

  test('only a failure that a maintainer must look at has a stack', () => {
    expect(renderFailure(new ConnectorFailure('config', 'm'), redact)).toEqual({
      message: 'm',
      failure_type: 'config_error',
    });
    expect(renderFailure(new ConnectorFailure('transient', 'm'), redact)).not.toHaveProperty('stack_trace');
    expect(renderFailure(new ConnectorFailure('system', 'm'), redact).stack_trace).toContain(
      'render-failure.test',
    );
  });

  test('an unknown error gets our words, and its own only in the fields for developers', () => {
    const error = new TypeError('x is not a function', { cause: new Error('the cause') });
    const rendered = renderFailure(error, redact);
    expect(rendered.message).not.toContain('x is not a function');
    expect(rendered.internal_message).toBe('TypeError: x is not a function');
    expect(rendered.stack_trace).toContain('Caused by: Error: the cause');
    expect(rendered.failure_type).toBe('system_error');
  });

  test.each([
    ['a text', 'boom', 'Thrown text: boom'],
    ['null', null, 'Thrown value of type null'],
    ['undefined', undefined, 'Thrown value of type undefined'],
    ['an object, which is not looked into', { auth: 'tops3cret' }, 'Thrown value of type object'],
    ['an object without prototype', Object.create(null), 'Thrown value of type object'],
  ])('%s that was thrown', (_name, value, internal) => {
    expect(renderFailure(value, redact)).toMatchObject({
      internal_message: internal,
      failure_type: 'system_error',
    });
  });

  test('no field holds a secret', () => {
    const failures = [
      new ConnectorFailure('system', 'message tops3cret', 'detail tops3cret'),
      new Error('message tops3cret', { cause: new Error('cause tops3cret') }),
      'text tops3cret',
    ];
    for (const failure of failures)
      expect(JSON.stringify(renderFailure(failure, redact))).not.toContain('tops3cret');
  });

  test('a cut never leaves part of a secret', () => {
    for (let shift = 0; shift < 12; shift += 1) {
      const detail = `${'.'.repeat(20_000 - shift)}tops3cret`;
      expect(
        renderFailure(new ConnectorFailure('config', 'm', detail), redact).internal_message,
      ).not.toContain('tops');
    }
  });

  test('long texts are cut to what the platform takes', () => {
    const rendered = renderFailure(new ConnectorFailure('system', 'm'.repeat(1e6), 'd'.repeat(1e6)), redact);
    expect(rendered.message.length).toBeLessThan(50_000);
    expect(rendered.internal_message?.length).toBeLessThan(50_000);
    expect(rendered.stack_trace?.length).toBeLessThan(100_000);
  });

  test('a chain of causes that never ends is cut', () => {
    const error = new Error('loop');
    error.cause = error;
    expect(renderFailure(error, redact).stack_trace?.match(/Error: loop/g)).toHaveLength(5);
  });
});
