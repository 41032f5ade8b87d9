'use strict';
// Preloaded into a program (NODE_OPTIONS=--require): whatever reaches for the network ends it with exit code 97.
const dns = require('node:dns');
const net = require('node:net');

function refuse() {
  process._rawDebug('the program reached for the network');
  process.exit(97);
}
net.Socket.prototype.connect = refuse;
net.Server.prototype.listen = refuse;
for (const name of Object.keys(dns)) if (/^(lookup|resolve|reverse)/.test(name)) dns[name] = refuse;
for (const name of Object.keys(dns.promises)) {
  if (/^(lookup|resolve|reverse)/.test(name)) dns.promises[name] = refuse;
}
