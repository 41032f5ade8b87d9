// Preloaded into the connector inside the image: prints the process's peak memory, in bytes, when it ends.
'use strict';

process.on('exit', () => {
  process.stderr.write(`peak ${process.resourceUsage().maxRSS * 1024}\n`);
});
