/**
 * Who has to act: `config`: the user (keys, dates, permissions); `transient`: nobody, a later try may pass;
 * `system`: a maintainer (a bug, or an answer that Amplitude never documented).
 */
export type FailureKind = 'config' | 'transient' | 'system';

/** The one error that a user is meant to see. Everything else that is thrown counts as a bug. */
export class ConnectorFailure extends Error {
  readonly kind: FailureKind;
  /** For the developer: method, path, status, trimmed body. May hold text of the other side, so it is redacted when written. */
  readonly detail: string | undefined;

  /** HTTP status, or code of the network error, that caused it: callers tell cases apart by these, never by the text. */
  readonly status: number | undefined;
  readonly code: string | undefined;
  /** What Amplitude itself said, without our own sentence around it. */
  readonly words: string | undefined;

  /** @param message What happened and what to do, for the user; one or two sentences, no secret. */
  constructor(
    kind: FailureKind,
    message: string,
    detail?: string,
    cause: { status?: number; code?: string; words?: string } = {},
  ) {
    super(message);
    this.name = 'ConnectorFailure';
    this.kind = kind;
    this.detail = detail;
    this.status = cause.status;
    this.code = cause.code;
    this.words = cause.words;
  }
}
