import type { Invocation } from './cli';
import { loadConfig, loadSchema, type SourceIo } from './inputs';
import { buildCatalog } from './protocol/catalog';
import type { Logger } from './protocol/log';
import { catalogMessage } from './protocol/messages';
import { streams } from './streams';
import type { Stream } from './streams/stream';

export async function discover(invocation: Invocation, io: SourceIo, log: Logger): Promise<number> {
  loadConfig(invocation, io, log);
  await io.writer.write(catalogMessage(buildCatalog(streams.map(describe))));
  return 0;
}

function describe({ name, primaryKey, cursorField }: Stream) {
  return {
    name,
    jsonSchema: loadSchema(name),
    primaryKey,
    ...(cursorField !== undefined && { cursorField }),
  };
}
