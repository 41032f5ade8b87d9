// Loaded into the connector by NODE_OPTIONS=--require: writes every path that is opened, made or written to PATHS_FILE.
const fs = require('node:fs');

// Opened before the functions are watched, which use each other.
const record = fs.openSync(process.env.PATHS_FILE, 'a');
const note = (path) => fs.writeSync(record, `${JSON.stringify(String(path))}\n`);

function watch(owner, names) {
  for (const name of names) {
    const original = owner[name];
    owner[name] = function watched(path, ...rest) {
      if (typeof path === 'string' || path instanceof URL) note(path);
      return Reflect.apply(original, this, [path, ...rest]);
    };
  }
}

watch(fs, ['open', 'openSync', 'mkdir', 'mkdirSync', 'mkdtemp', 'mkdtempSync', 'writeFile', 'writeFileSync']);
watch(fs, ['createReadStream', 'createWriteStream', 'readFile', 'readFileSync', 'rm', 'rmSync']);
watch(fs.promises, ['open', 'mkdir', 'mkdtemp', 'writeFile', 'readFile', 'rm']);
