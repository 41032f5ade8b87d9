import { ConnectorFailure, type FailureKind } from '../failure';
import type { ErrorTrace, FailureType } from './messages';

/** The platform cuts longer texts (50,000 and 100,000 characters); ours stay readable well below that. */
const MAX_MESSAGE_CHARACTERS = 4_000;
const MAX_DETAIL_CHARACTERS = 20_000;
const MAX_STACK_CHARACTERS = 40_000;
/** A chain of causes longer than this is a loop or of no use to anybody. */
const MAX_CAUSES = 5;

const FAILURE_TYPES: Readonly<Record<FailureKind, FailureType>> = {
  config: 'config_error',
  transient: 'transient_error',
  system: 'system_error',
};

const UNEXPECTED =
  'The connector ran into an error that it does not know and stopped. This is a defect in the connector: please report it with the log of this run.';

/**
 * Any thrown value as the payload of a TRACE ERROR (or, by its `message`, of a failed CONNECTION_STATUS).
 * A `ConnectorFailure` speaks to the user with its own words; everything else counts as a defect of ours, gets a fixed
 * message, and its own text and stack go to the developer's fields. A stack is written only where a maintainer has to act.
 * @param redact Applied to every text.
 */
export function renderFailure(error: unknown, redact: (text: string) => string): ErrorTrace {
  // Redacted first: a cut could go through a secret and leave a part that is no longer recognised.
  const prepare = (text: string, limit: number): string => cut(redact(text), limit);
  if (!(error instanceof ConnectorFailure)) {
    const stack = describeStack(error);
    return {
      message: UNEXPECTED,
      internal_message: prepare(describeError(error), MAX_DETAIL_CHARACTERS),
      ...(stack === undefined ? {} : { stack_trace: prepare(stack, MAX_STACK_CHARACTERS) }),
      failure_type: 'system_error',
    };
  }
  const stack = error.kind === 'system' ? describeStack(error) : undefined;
  return {
    message: prepare(error.message, MAX_MESSAGE_CHARACTERS),
    ...(error.detail === undefined ? {} : { internal_message: prepare(error.detail, MAX_DETAIL_CHARACTERS) }),
    ...(stack === undefined ? {} : { stack_trace: prepare(stack, MAX_STACK_CHARACTERS) }),
    failure_type: FAILURE_TYPES[error.kind],
  };
}

function describeError(error: unknown): string {
  if (error instanceof Error) return `${error.name}: ${error.message}`;
  if (typeof error === 'string') return `Thrown text: ${error}`;
  // Never inspected: an object may hold a request with its credentials.
  return `Thrown value of type ${error === null ? 'null' : typeof error}`;
}

function describeStack(error: unknown): string | undefined {
  const stacks: string[] = [];
  for (let cause = error; cause instanceof Error && stacks.length < MAX_CAUSES; cause = cause.cause) {
    stacks.push(cause.stack ?? describeError(cause));
  }
  return stacks.length === 0 ? undefined : stacks.join('\nCaused by: ');
}

function cut(text: string, limit: number): string {
  return text.length <= limit
    ? text
    : `${text.slice(0, limit)} … (${String(text.length - limit)} more characters)`;
}
