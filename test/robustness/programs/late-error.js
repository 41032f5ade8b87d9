// Loaded into the connector by NODE_OPTIONS=--require: throws where nobody catches it, as soon as an archive is on disk.
const fs = require('node:fs');

const watch = setInterval(() => {
  const files = fs.readdirSync(process.env.TMPDIR, { recursive: true });
  if (!files.some((file) => file.endsWith('.zip'))) return;
  clearInterval(watch);
  throw new Error('an error that nobody catches');
}, 1);
watch.unref();
