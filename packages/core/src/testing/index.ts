export { collect, equal, eventually, ok, rejection } from './assert.ts';
export type { TestFunctions } from './test-functions.ts';
