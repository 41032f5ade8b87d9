'use strict';
// The limit: inflates one member after the other, as fast as Node can on one thread pool thread, and looks at nothing.
const { createReadStream } = require('node:fs');
const { pipeline } = require('node:stream/promises');
const { Writable } = require('node:stream');
const { createGunzip, createInflateRaw } = require('node:zlib');
const { Open } = require('unzipper');

async function main(path) {
  const { files } = await Open.file(path);
  const sink = () => new Writable({ write: (_chunk, _encoding, done) => done() });
  for (const { offsetToLocalFileHeader: offset, compressedSize, pathBuffer } of files) {
    const start = offset + 30 + pathBuffer.length;
    await pipeline(
      createReadStream(path, { start, end: start + compressedSize - 1, highWaterMark: 256 * 1024 }),
      createInflateRaw({ chunkSize: 256 * 1024 }),
      createGunzip({ chunkSize: 1024 * 1024, readableHighWaterMark: 4 * 1024 * 1024 }),
      sink(),
    );
  }
}

main(process.argv[2]);
