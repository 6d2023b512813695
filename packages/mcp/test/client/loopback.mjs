// Preloaded into servers that have no host option: they listen on this machine only.
import { Server } from 'node:net';

const listen = Reflect.get(Server.prototype, 'listen');
Server.prototype.listen = function (first, ...rest) {
  return typeof first === 'object' && first !== null
    ? listen.call(this, { ...first, host: '127.0.0.1' }, ...rest)
    : listen.call(this, first, '127.0.0.1', ...rest.filter((one) => typeof one === 'function'));
};
