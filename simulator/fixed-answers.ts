import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { jsonReply, replies, type Reply } from './reply';

const FOLDER = join(__dirname, 'answers');

/** The answer that `simulator/answers/` holds for a path (see its README), or 404: streams of plain lists need no code here. */
export function answerFromFile(path: string): Reply {
  // Nothing but plain names: the path comes from the request and becomes part of a file's name.
  if (!/^\/api(\/[a-z0-9-]+)+$/.test(path)) return replies.notFound();
  const file = join(FOLDER, `${path.slice(1).replaceAll('/', '.')}.json`);
  return existsSync(file) ? jsonReply(200, JSON.parse(readFileSync(file, 'utf8'))) : replies.notFound();
}
