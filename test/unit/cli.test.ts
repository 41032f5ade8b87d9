import { HELP, parseCommandLine, type Invocation } from '../../src/cli';

const run = (...args: string[]): Invocation => {
  const parsed = parseCommandLine(args);
  if (parsed.kind !== 'run') throw new Error(`not a run: ${JSON.stringify(parsed)}`);
  return parsed.invocation;
};
const complaintOf = (...args: string[]): string => {
  const parsed = parseCommandLine(args);
  if (parsed.kind !== 'usage error') throw new Error(`no usage error: ${JSON.stringify(parsed)}`);
  return parsed.message;
};

describe('commands', () => {
  it.each<[string[], Invocation]>([
    [['spec'], { command: 'spec', debug: false }],
    [['check', '--config', 'c.json'], { command: 'check', config: 'c.json', debug: false }],
    [['discover', '--config', 'c.json'], { command: 'discover', config: 'c.json', debug: false }],
    [
      ['read', '--config', 'c.json', '--catalog', 'k.json'],
      { command: 'read', config: 'c.json', catalog: 'k.json', debug: false },
    ],
    [
      ['read', '--config', 'c.json', '--catalog', 'k.json', '--state', 's.json', '--debug'],
      { command: 'read', config: 'c.json', catalog: 'k.json', state: 's.json', debug: true },
    ],
    // Flags that a command has no use for are accepted: Airbyte's own connectors do so too.
    [['spec', '--config', 'c.json'], { command: 'spec', config: 'c.json', debug: false }],
    [['spec', '--debug'], { command: 'spec', debug: true }],
    [['spec', '--manifest-path', 'm.yaml', '--components-path', 'c.py'], { command: 'spec', debug: false }],
  ])('%j', (args, invocation) => {
    expect(run(...args)).toEqual(invocation);
  });
});

describe('flags', () => {
  const wanted: Invocation = {
    command: 'read',
    config: '/a b/c.json',
    catalog: 'k=1.json',
    state: '-s.json',
    debug: true,
  };
  /** Every order of the parts. */
  const orders = <T>(parts: readonly T[]): T[][] =>
    parts.length === 0
      ? [[]]
      : parts.flatMap((part, index) => orders(parts.toSpliced(index, 1)).map((rest) => [part, ...rest]));

  it('stand in any order, before and behind the command, in both forms', () => {
    const together = [
      ['read'],
      ['--config=/a b/c.json'],
      ['--catalog=k=1.json'],
      ['--state=-s.json'],
      ['--debug'],
    ];
    const apart = [
      ['read'],
      ['--config', '/a b/c.json'],
      ['--catalog', 'k=1.json'],
      ['--state=-s.json'],
      ['--debug'],
    ];
    const all = [...orders(together), ...orders(apart)];
    expect(all).toHaveLength(240);
    for (const args of all) expect(run(...args.flat())).toEqual(wanted);
  });

  it('given twice count as given last', () => {
    expect(run('check', '--config', 'a', '--config=b').config).toBe('b');
  });

  it('may have an empty value, which is not the same as none', () => {
    expect(run('check', '--config=').config).toBe('');
  });

  it('are left out of the invocation when they are not given', () => {
    expect(Object.keys(run('check', '--config', 'c'))).toEqual(['command', 'debug', 'config']);
  });
});

describe('help', () => {
  it.each([[['--help']], [['-h']], [['read', '--help']], [['--help', 'nonsense']], [['--debug', '-h']]])(
    '%j',
    (args) => {
      expect(parseCommandLine(args)).toEqual({ kind: 'help' });
    },
  );

  it('names every command and flag, and the exit codes', () => {
    for (const word of [
      'spec',
      'check',
      'discover',
      'read',
      '--config',
      '--catalog',
      '--state',
      '--debug',
      '-h',
    ]) {
      expect(HELP).toContain(word);
    }
    expect(HELP).toMatch(/Exit codes: 0 .*1 .*2 /);
  });
});

describe('wrong usage', () => {
  it.each<[string[], string]>([
    [[], 'No command given'],
    [['--config', 'c.json'], 'No command given'],
    [['reed'], 'Unknown command "reed"'],
    [['READ', '--config', 'c'], 'Unknown command "READ"'],
    [['toString'], 'Unknown command "toString"'],
    [['__proto__'], 'Unknown command "__proto__"'],
    [[''], 'Unknown command ""'],
    [['spec', 'extra'], 'Unexpected argument "extra"'],
    [['check'], '"check" needs --config FILE'],
    [['discover'], '"discover" needs --config FILE'],
    [['read'], '"read" needs --config FILE'],
    [['read', '--catalog', 'k'], '"read" needs --config FILE'],
    [['read', '--config', 'c'], '"read" needs --catalog FILE'],
    [['read', '--config', 'c', '--state', 's'], '"read" needs --catalog FILE'],
    [['check', '--config'], '--config'],
    [['read', '--config', '--catalog', 'k'], '--config'],
    [['check', '--confg', 'c'], '--confg'],
    [['check', '-c', 'c'], '-c'],
    [['spec', '--debug=yes'], '--debug'],
    [['spec', '--no-debug'], '--no-debug'],
    [['--version'], '--version'],
  ])('%j', (args, words) => {
    expect(complaintOf(...args)).toContain(words);
  });

  it('does not repeat the value of an unknown flag, which may be a key', () => {
    expect(complaintOf('check', '--api_key=very-secret')).not.toContain('very-secret');
  });

  it('leaves the arguments as they are', () => {
    const args = Object.freeze(['read', '--config', 'c', '--catalog', 'k']);
    expect(parseCommandLine(args).kind).toBe('run');
  });
});
