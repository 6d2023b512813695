import { serverContract } from '@agent-functions/core/testing';
import { mounted, test } from './mounted.ts';

serverContract(test, 'through @azure/functions, streamed', mounted({ streaming: true }), {
  unknownPaths: 'the host knows the routes, and answers 404 itself',
});
