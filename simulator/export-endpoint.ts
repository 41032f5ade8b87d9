import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { MemberCache, placesOf, streamArchive, writeArchive, type ArchivePlan } from './archive';
import { mutateBytes, type ArchiveMutation } from './archive-mutations';
import type { DataSet } from './data-set';
import { HOUR_MS, formatHour, parseHour } from './hours';
import { bodyLength, replies, type FileBody, type Reply } from './reply';
import type { Settings } from './settings';
import type { ZipFlavour } from './zip-writer';

/** Raw bytes per event, measured over 24,000 events; decides only between memory and disk. */
const BYTES_PER_EVENT = 1700;
/** Windows with more raw data than this are written to a file and piped from it. */
const RAW_IN_MEMORY = 256 << 20;
const ARCHIVES_IN_MEMORY = 64;
const MEMBERS_IN_MEMORY = 128 << 20;

/** What a fault changes about the archive of one request. */
export interface ArchiveChanges {
  readonly mutations?: readonly ArchiveMutation[];
  readonly flavour?: Partial<ZipFlavour>;
}

/** GET /api/2/export (reference: amplitude-api.md section 3). */
export class ExportEndpoint {
  readonly #data: DataSet;
  readonly #settings: () => Settings;
  readonly #nowMs: () => number;
  readonly #members = new MemberCache(MEMBERS_IN_MEMORY);
  readonly #archives = new Map<string, Promise<Buffer | FileBody>>();
  readonly #ready = new Map<string, FileBody>();
  readonly #recent: number[] = [];
  #folder: Promise<string> | undefined;

  constructor(data: DataSet, settings: () => Settings, nowMs: () => number) {
    this.#data = data;
    this.#settings = settings;
    this.#nowMs = nowMs;
  }

  /** Serves a file for exactly this window, whatever the clock says. */
  async addReady(startHour: string, endHour: string, file: string): Promise<void> {
    this.#ready.set(`${startHour}-${endHour}`, { file, bytes: (await stat(file)).size });
  }

  async answer(query: URLSearchParams, changes: ArchiveChanges | undefined): Promise<Reply> {
    const settings = this.#settings();
    if (!this.#withinRate(settings.exportRate)) return replies.rateLimit(0);
    const startMs = parseHour(query.get('start') ?? '');
    const endMs = parseHour(query.get('end') ?? '');
    if (startMs === undefined) return replies.badRequest('Invalid start: expected YYYYMMDDTHH');
    if (endMs === undefined) return replies.badRequest('Invalid end: expected YYYYMMDDTHH');
    if (endMs < startMs) return replies.badRequest('Invalid time range: end is before start');
    const hours = (endMs - startMs) / HOUR_MS + 1;
    if (hours > 365 * 24) return replies.badRequest('Invalid time range: more than 365 days');
    const { tooLarge, gatewayTimeout } = settings;
    const refusal = tooLarge.body === 'json' ? replies.tooLarge() : replies.tooLargeText();
    if (hours > (tooLarge.hours ?? Infinity) || tooLarge.when?.(startMs, endMs) === true) return refusal;
    if (hours > (gatewayTimeout.hours ?? Infinity) || gatewayTimeout.when?.(startMs, endMs) === true) {
      await sleep(gatewayTimeout.afterMs, undefined, { ref: false });
      return replies.gatewayTimeout();
    }
    const body = await this.#archive(startMs, endMs, changes);
    if (body === undefined)
      return settings.emptyWindow === 'bare' ? replies.notFound() : replies.noRawFiles();
    const reply = { status: 200, headers: { 'content-type': 'application/zip' }, body };
    return bodyLength(reply) > (tooLarge.bytes ?? Infinity) ? refusal : reply;
  }

  /** Forgets what was built. Files that were handed out are kept until `close`. */
  clear(): void {
    this.#archives.clear();
    this.#members.clear();
    this.#recent.length = 0;
  }

  async close(): Promise<void> {
    this.clear();
    if (this.#folder !== undefined) await rm(await this.#folder, { recursive: true, force: true });
  }

  #withinRate(rate: Settings['exportRate']): boolean {
    if (rate === null) return true;
    const now = Date.now();
    while (this.#recent[0] !== undefined && this.#recent[0] <= now - rate.perMs) this.#recent.shift();
    if (this.#recent.length >= rate.requests) return false;
    this.#recent.push(now);
    return true;
  }

  async #archive(
    startMs: number,
    endMs: number,
    changes: ArchiveChanges | undefined,
  ): Promise<Buffer | FileBody | undefined> {
    const { zip, lines: layout, gzipLevel } = this.#settings();
    const ready = this.#ready.get(`${formatHour(startMs)}-${formatHour(endMs)}`);
    if (ready !== undefined && changes === undefined) return ready;
    const mutations = changes?.mutations ?? [];
    const flavour = { ...zip, ...changes?.flavour };
    const plan: ArchivePlan = { startMs, endMs, nowMs: this.#nowMs(), flavour, layout, gzipLevel, mutations };
    const places = placesOf(this.#data, plan);
    if (places.length === 0) return undefined;
    if (mutations.length > 0) return mutateBytes(await this.#collect(plan), mutations);
    const seen = places.map(({ hourMs, part }) => `${hourMs / HOUR_MS}#${part}`).join(' ');
    const key = JSON.stringify([startMs, endMs, seen, flavour, layout, gzipLevel]);
    let archive = this.#archives.get(key);
    if (archive === undefined) {
      const raw =
        BYTES_PER_EVENT *
        places.reduce((sum, one) => sum + this.#data.countOf(one.hourMs) / this.#data.partsOf(one.hourMs), 0);
      archive = raw > RAW_IN_MEMORY ? this.#write(plan) : this.#collect(plan);
      this.#archives.set(key, archive);
      const oldest = this.#archives.keys().next();
      if (this.#archives.size > ARCHIVES_IN_MEMORY && oldest.done !== true)
        this.#archives.delete(oldest.value);
    }
    return archive;
  }

  async #collect(plan: ArchivePlan): Promise<Buffer> {
    const pieces: Buffer[] = [];
    for await (const piece of streamArchive(this.#data, plan, this.#members)) pieces.push(piece);
    return Buffer.concat(pieces);
  }

  async #write(plan: ArchivePlan): Promise<FileBody> {
    this.#folder ??= mkdtemp(join(tmpdir(), 'amplitude-simulator-'));
    const file = join(
      await this.#folder,
      `${formatHour(plan.startMs)}-${formatHour(plan.endMs)}-${this.#archives.size}-${Date.now()}.zip`,
    );
    await writeArchive(file, this.#data, plan);
    return { file, bytes: (await stat(file)).size };
  }
}
