// node --import test/report-requests.ts …: checks what the program sends, and writes it to the file CHECKED_REQUESTS.
import { writeFileSync } from 'node:fs';
import { checkedFetch, type CheckedRequest } from './checked-fetch.ts';

const checked: CheckedRequest[] = [];
globalThis.fetch = checkedFetch(checked);
process.once('exit', () =>
  writeFileSync(process.env['CHECKED_REQUESTS'] ?? '', JSON.stringify(checked)),
);
