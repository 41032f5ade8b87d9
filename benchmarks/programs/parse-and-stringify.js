'use strict';
// What a straightforward connector in Node does: each line through JSON.parse and JSON.stringify. It changes integers
// beyond 2^53 and 0.0 and leaves the timestamps as they are.
const { createReadStream } = require('node:fs');
const { once } = require('node:events');
const { createInterface } = require('node:readline');
const { createGunzip, createInflateRaw } = require('node:zlib');
const { Open } = require('unzipper');

async function main(path) {
  const { files } = await Open.file(path);
  for (const { offsetToLocalFileHeader: offset, compressedSize, pathBuffer } of files) {
    const start = offset + 30 + pathBuffer.length;
    const text = createReadStream(path, { start, end: start + compressedSize - 1 })
      .pipe(createInflateRaw())
      .pipe(createGunzip());
    for await (const line of createInterface({ input: text })) {
      const record = { stream: 'events', data: JSON.parse(line), emitted_at: Date.now() };
      if (!process.stdout.write(`${JSON.stringify({ type: 'RECORD', record })}\n`)) {
        await once(process.stdout, 'drain');
      }
    }
  }
}

main(process.argv[2]);
