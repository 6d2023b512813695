import { serverContract } from '@agent-functions/core/testing';
import { mounted, test } from './mounted.ts';

serverContract(test, 'through @azure/functions, buffered', mounted({ streaming: false }), {
  streaming: 'the worker hands the whole answer to the host at its end',
  unknownPaths: 'the host knows the routes, and answers 404 itself',
  disconnects: 'the host tells the worker nothing of its connection',
});
