// What the Functions worker loads (package.json, main). Constructing the app registers its functions.
export { app } from '../app.ts';
