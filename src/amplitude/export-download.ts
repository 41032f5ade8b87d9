import { createWriteStream } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { ConnectorFailure } from '../failure';
import { formatHour } from '../time/hours';
import type { HourWindow } from '../time/windows';
import { openArchive, type ExportArchive } from './archive';
import { ArchiveCorrupt } from './archive-corrupt';
import { DiskFull, judgeDiskFault } from './disk-fault';
import type { ApiObserver } from './observer';
import { collectReadBuffers } from './read-buffers';
import { announceRetry, retryDelayMs, type RequestOptions } from './retry';
import { sleep } from './sleep';
import type { TempSpace } from './temp-space';
import { AttemptError, EXPORT_PATH, translateNetworkError, type HttpAnswer } from './transport';
import { judgeBody, type Verdict } from './verdicts';

export type ExportAnswer =
  | { readonly kind: 'archive'; readonly archive: ExportArchive }
  | { readonly kind: 'empty' }
  /** The window must be made smaller; when it can't be, `failure` says why it failed. */
  | { readonly kind: 'too large'; readonly failure: ConnectorFailure };

export interface ExportOptions extends RequestOptions {
  /** Whether the host is another one than Amplitude's. */
  readonly hasOwnBaseUrl: boolean;
  readonly temp: TempSpace;
}

const WRITE_AHEAD_BYTES = 4 * 1024 * 1024;

/** A time-out, the gateway's or our own, may be chance once; twice it is taken for "too much data". */
const TIMEOUTS_BEFORE_SPLIT = 2;
const TOO_LARGE =
  /\b(too (large|big)|4\s?GB|size limit|exceed\w* .*(size|limit)|(size|limit) .*exceed\w*|too much data)\b/i;
const NO_DATA = /raw data files were not found/i;
/** What Amplitude was seen to say as well; but so does any other server of a path that it does not have. */
const NO_DATA_BY_AMPLITUDE = /^(404:? *)?(not found\.?)?$/i;
const S3_ADVICE =
  "Use Amplitude's own export to Amazon S3 (https://amplitude.com/docs/data/destination-catalog/amazon-s3) for it, " +
  'and start_date or end_date to leave the hour out here.';

/**
 * Downloads one window to a temporary file and proves it whole before anything is read from it.
 * @throws ConnectorFailure when the retries are used up or would not help.
 */
export async function downloadExport(
  window: HourWindow,
  options: ExportOptions,
  observer: ApiObserver,
): Promise<ExportAnswer> {
  let timeouts = 0;
  for (let retry = 0; ; retry += 1) {
    try {
      return await attemptDownload(window, options, observer);
    } catch (error) {
      if (error instanceof DiskFull && window.first !== window.last)
        return { kind: 'too large', failure: error };
      if (!(error instanceof AttemptError)) throw error;
      const { verdict } = error;
      if (saysNoData(verdict, options)) return { kind: 'empty' };
      if (verdict.status === 504 || verdict.timedOut) timeouts += 1;
      const tooLarge = judgeTooLarge(verdict, timeouts, window);
      if (tooLarge) return tooLarge;
      if (!verdict.retry || retry >= options.retries)
        throw timeouts >= TIMEOUTS_BEFORE_SPLIT ? adviseFor(window, verdict.failure) : verdict.failure;
      const delayMs = retryDelayMs(retry + 1, options, verdict);
      announceRetry(observer, options.limits, 'export', verdict, retry + 1, delayMs);
      await sleep(delayMs, observer.signal);
    }
  }
}

/** Only the 404 that Amplitude gives for "no data": a stranger's (a wrong base_url, a proxy's page) must not skip hours. */
function saysNoData(
  { status, words = '', failure }: Verdict,
  { hasOwnBaseUrl }: Pick<ExportOptions, 'hasOwnBaseUrl'>,
): boolean {
  if (status !== 404) return false;
  const isPage = words === '' && failure.detail?.includes('<') === true;
  return NO_DATA.test(words) || (!hasOwnBaseUrl && !isPage && NO_DATA_BY_AMPLITUDE.test(words));
}

function judgeTooLarge(verdict: Verdict, timeouts: number, window: HourWindow): ExportAnswer | undefined {
  const { status, words = '', failure } = verdict;
  if (status === 413 || (status === 400 && TOO_LARGE.test(words))) {
    const advice =
      `The hour ${formatHour(window.first)} (UTC) of this project is more than Amplitude's export API can give. ` +
      `${S3_ADVICE} ${failure.message}`;
    return { kind: 'too large', failure: new ConnectorFailure('config', advice, failure.detail, { status }) };
  }
  // Amplitude was seen to say no more than "Bad Request" of too much data: asking for less tells, for a few requests.
  if (status === 400) return { kind: 'too large', failure: adviseFor(window, failure) };
  if (window.first !== window.last && timeouts >= TIMEOUTS_BEFORE_SPLIT)
    return { kind: 'too large', failure };
  return undefined;
}

/** The failure of a window that can't be made smaller, whose amount of data is only one possible cause. */
function adviseFor(window: HourWindow, { kind, message, detail, status, code, words }: ConnectorFailure) {
  const advice = `${message} If it is the amount of data of the hour ${formatHour(window.first)} (UTC): ${S3_ADVICE}`;
  return new ConnectorFailure(kind, advice, detail, {
    ...(status !== undefined && { status }),
    ...(code !== undefined && { code }),
    ...(words !== undefined && { words }),
  });
}

async function attemptDownload(
  window: HourWindow,
  options: ExportOptions,
  observer: ApiObserver,
): Promise<ExportAnswer> {
  const path = await options.temp.newPath();
  const params = { start: formatHour(window.first), end: formatHour(window.last) };
  try {
    const request = await options.limits.run(
      'export',
      0,
      async () => {
        observer.tally('requests', 1);
        const answer = await options.transport.get(EXPORT_PATH, params, observer);
        await save(answer, path, await options.temp.room(), observer.signal);
        return answer.request;
      },
      observer,
    );
    const archive = await openVerified(path, request);
    return { kind: 'archive', archive };
  } catch (error) {
    await rm(path, { force: true });
    // What is met when the saved archive is opened; `save` judges its own.
    throw error instanceof ConnectorFailure ? error : (judgeDiskFault(error, 'more') ?? error);
  }
}

async function save(
  { request, declaredBytes: declared = Number.NaN, isGzip, body }: HttpAnswer,
  path: string,
  roomBytes: number,
  signal: AbortSignal,
): Promise<void> {
  if (declared > roomBytes) {
    body.destroy();
    throw new DiskFull(String(declared));
  }
  const gunzip = isGzip ? createGunzip() : undefined;
  // What comes during a write goes with the next one: a write for each chunk of 64 KB took half as long again.
  const file = createWriteStream(path, { mode: 0o600, highWaterMark: WRITE_AHEAD_BYTES });
  const source = gunzip ?? body;
  let left = roomBytes;
  // The disk itself says when it is full, but nobody says it of a platform's limit: the container is evicted.
  source.on('data', (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) source.destroy(new DiskFull(`more than ${roomBytes}`));
  });
  const countReceived = (): number => (gunzip ?? file).bytesWritten;
  collectReadBuffers(body);
  try {
    await pipeline(gunzip ? [body, gunzip, file] : [body, file], { signal });
  } catch (error) {
    throw translateSaveError(error, request, countReceived(), declared, signal);
  }
  const received = countReceived();
  if (!Number.isNaN(declared) && received !== declared) {
    throw new AttemptError(judgeBody(request, `it has ${received} bytes of the declared ${declared}`));
  }
}

function translateSaveError(
  error: unknown,
  request: string,
  received: number,
  declared: number,
  signal: AbortSignal,
): unknown {
  if (error instanceof DiskFull) return error;
  const diskFault = judgeDiskFault(
    error,
    Number.isNaN(declared) ? `more than ${received}` : String(declared),
  );
  if (diskFault) return diskFault;
  const { code = '' } = error as NodeJS.ErrnoException;
  if (code.startsWith('Z_'))
    return new AttemptError(judgeBody(request, `its gzip encoding is broken (${code})`));
  return translateNetworkError(error, request, signal);
}

async function openVerified(path: string, request: string): Promise<ExportArchive> {
  await assertZip(path, request);
  try {
    const archive = await openArchive(path);
    const close = async (): Promise<void> => {
      await archive.close();
      await rm(path, { force: true });
    };
    return { ...archive, close };
  } catch (error) {
    if (!(error instanceof ArchiveCorrupt)) throw error;
    throw new AttemptError(judgeBody(request, error.message));
  }
}

/** Amplitude's edge answers 200 with rate-limit texts and web pages now and then. */
async function assertZip(path: string, request: string): Promise<void> {
  const file = await open(path, 'r');
  const start = Buffer.alloc(64);
  try {
    const { bytesRead } = await file.read(start, 0, start.length, 0);
    if (bytesRead === 0) throw new AttemptError(judgeBody(request, 'it is empty'));
    if (bytesRead >= 4 && start.readUInt32LE(0) === 0x04034b50) return;
    const text = start.subarray(0, bytesRead).toString('latin1');
    const kind = text.trimStart().startsWith('<') ? 'it is a web page' : 'it is no ZIP archive';
    throw new AttemptError(judgeBody(request, `${kind} although the status is 200`));
  } finally {
    await file.close();
  }
}
