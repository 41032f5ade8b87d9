import { parseArgs } from 'node:util';

export type Command = 'spec' | 'check' | 'discover' | 'read';

export interface Invocation {
  readonly command: Command;
  readonly config?: string;
  readonly catalog?: string;
  readonly state?: string;
  readonly debug: boolean;
}

export type ParsedArguments =
  | { readonly kind: 'run'; readonly invocation: Invocation }
  | { readonly kind: 'help' }
  /** `message` says what is wrong with the command line. */
  | { readonly kind: 'usage error'; readonly message: string };

const REQUIRED_FLAGS: Readonly<Record<Command, readonly ('config' | 'catalog')[]>> = {
  spec: [],
  check: ['config'],
  discover: ['config'],
  read: ['config', 'catalog'],
};

export const HELP = `Airbyte source connector for Amplitude

Usage:
  source-amplitude spec
  source-amplitude check    --config FILE
  source-amplitude discover --config FILE
  source-amplitude read     --config FILE --catalog FILE [--state FILE]

Commands:
  spec        print what a configuration may contain
  check       try the configuration: keys, region, reachability
  discover    print the streams with their schemas
  read        print the records of the streams in the catalog

Options:
  --config FILE     configuration, JSON; see "spec" for its keys
  --catalog FILE    which streams to read and how, JSON (ConfiguredAirbyteCatalog)
  --state FILE      where the last read ended: the STATE messages it printed, or their array
  --debug           more LOG messages (also: LOG_LEVEL=debug)
  -h, --help        this text

Messages go to standard output, one JSON object per line, by the Airbyte protocol.
Exit codes: 0 done; 1 something was not done, with a TRACE message that says what; 2 wrong usage.

A first try:
  echo '{"api_key":"…","secret_key":"…","start_date":"P7D"}' > config.json
  source-amplitude check --config config.json
`;

/** @param args Command line without the program's name. Flags may stand anywhere, as \`--flag x\` or \`--flag=x\`. */
export function parseCommandLine(args: readonly string[]): ParsedArguments {
  let parsed;
  try {
    parsed = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        config: { type: 'string' },
        catalog: { type: 'string' },
        state: { type: 'string' },
        debug: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
        // The Python CDK's own flags: callers that know it may pass them.
        'manifest-path': { type: 'string' },
        'components-path': { type: 'string' },
      },
    });
  } catch (error) {
    return { kind: 'usage error', message: (error as Error).message };
  }
  const { values, positionals } = parsed;
  if (values.help) return { kind: 'help' };
  const [command, ...rest] = positionals;
  if (command === undefined) return { kind: 'usage error', message: 'No command given.' };
  if (!isCommand(command))
    return { kind: 'usage error', message: `Unknown command ${JSON.stringify(command)}.` };
  if (rest.length > 0)
    return { kind: 'usage error', message: `Unexpected argument ${JSON.stringify(rest[0])}.` };
  const missing = REQUIRED_FLAGS[command].find((flag) => values[flag] === undefined);
  if (missing) return { kind: 'usage error', message: `"${command}" needs --${missing} FILE.` };
  const { config, catalog, state, debug = false } = values;
  return {
    kind: 'run',
    invocation: {
      command,
      debug,
      ...(config !== undefined && { config }),
      ...(catalog !== undefined && { catalog }),
      ...(state !== undefined && { state }),
    },
  };
}

function isCommand(text: string): text is Command {
  return Object.hasOwn(REQUIRED_FLAGS, text);
}
