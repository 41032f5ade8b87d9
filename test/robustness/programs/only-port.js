'use strict';
// Preloaded into a program (--require): connections are made to 127.0.0.1 at ONLY_PORT and nowhere else, and no name is known.
const dns = require('node:dns');
const net = require('node:net');

const port = Number(process.env.ONLY_PORT);
const connect = net.Socket.prototype.connect;

net.Socket.prototype.connect = function connectThere(...args) {
  const [options] = Array.isArray(args[0]) ? args[0] : args;
  if (options.host === '127.0.0.1' && Number(options.port) === port) return connect.apply(this, args);
  const error = new Error(`connect ECONNREFUSED ${String(options.host)}`);
  process.nextTick(() => this.destroy(Object.assign(error, { code: 'ECONNREFUSED' })));
  return this;
};
dns.lookup = (hostname, options, callback) => {
  const done = typeof options === 'function' ? options : callback;
  const error = new Error(`getaddrinfo ENOTFOUND ${hostname}`);
  process.nextTick(done, Object.assign(error, { code: 'ENOTFOUND' }));
};
