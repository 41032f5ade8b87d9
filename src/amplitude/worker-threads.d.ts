import 'node:worker_threads';

declare module 'node:worker_threads' {
  /** From Node 21 on. */
  const isMarkedAsUntransferable: ((object: object) => boolean) | undefined;
}
