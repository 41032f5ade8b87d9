// Loaded into the connector by NODE_OPTIONS=--require: names that end in `.test` fail to resolve so often (DNS_FAILURES),
// with the code DNS_CODE, and after that lead to this machine, or to DNS_ADDRESS.
const dns = require('node:dns');

const original = dns.lookup;
let left = Number(process.env.DNS_FAILURES ?? '0');

dns.lookup = (hostname, options, callback) => {
  if (!hostname.endsWith('.test')) return original(hostname, options, callback);
  const done = typeof options === 'function' ? options : callback;
  if (left > 0) {
    left -= 1;
    const code = process.env.DNS_CODE ?? 'EAI_AGAIN';
    const error = Object.assign(new Error(`getaddrinfo ${code} ${hostname}`), {
      code,
      syscall: 'getaddrinfo',
    });
    process.nextTick(done, error);
    return undefined;
  }
  return original(process.env.DNS_ADDRESS ?? '127.0.0.1', options, callback);
};
