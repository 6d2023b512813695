// Preloaded into a server that somebody else starts: appends its pid to the file that PID_FILE names.
import { appendFileSync } from 'node:fs';

appendFileSync(process.env['PID_FILE'] ?? '', `${process.pid}\n`);
