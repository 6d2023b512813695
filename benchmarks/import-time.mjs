// Imports one module in a process of its own and prints how long that took: `node import-time.mjs <address>`.
const start = performance.now();
await import(process.argv[2]);
process.stdout.write(`${performance.now() - start}\n`);
process.exit();
