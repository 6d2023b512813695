export { serve, type Served, type ServeOptions, type Serving } from './serve.ts';
