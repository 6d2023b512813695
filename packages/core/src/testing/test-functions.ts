/** What a contract suite needs of a test runner (vitest's and node:test's fit); handed in, so that core needs none. */
export interface TestFunctions {
  describe(name: string, body: () => void): void;
  it(name: string, body: () => void | Promise<void>, timeoutMs?: number): void;
  beforeAll(body: () => void | Promise<void>): void;
  afterAll(body: () => void | Promise<void>): void;
}
