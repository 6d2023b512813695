export { a2a } from './server/a2a.ts';
