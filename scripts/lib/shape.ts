/**
 * What the shape of `actual` lacks of that of `expected`: keys that are missing and values of another type.
 * Values may differ, more keys may be there, `null` stands for anything; each expected element of an array is
 * like one that is there. Empty when it has the shape.
 */
export function shapeProblems(expected: unknown, actual: unknown, path = '$'): readonly string[] {
  if (expected === null) return [];
  if (kindOf(expected) !== kindOf(actual))
    return [`${path} is ${kindOf(actual)}, expected ${kindOf(expected)}`];
  if (Array.isArray(expected) && Array.isArray(actual))
    return elementProblems(expected, actual, path);
  if (!isRecord(expected) || !isRecord(actual)) return [];
  return Object.entries(expected).flatMap(([key, value]) =>
    key in actual
      ? shapeProblems(value, actual[key], `${path}.${key}`)
      : [`${path}.${key} is missing`],
  );
}

function elementProblems(
  expected: readonly unknown[],
  actual: readonly unknown[],
  path: string,
): readonly string[] {
  if (expected.length > 0 && actual.length === 0) return [`${path} is empty`];
  return expected.flatMap((element, index) => {
    const tries = actual.map((one) => shapeProblems(element, one, `${path}[${index}]`));
    return tries.some((problems) => problems.length === 0) ? [] : (tries[0] ?? []);
  });
}

/**
 * What of an expected text is not in the actual one. Lines are compared one by one: `data: {…}` of a stream by its
 * shape, every other line as it is written, where `…` stands for anything.
 */
export function textProblems(expected: string, actual: string): readonly string[] {
  const lines = actual.split('\n').map((line) => line.trim());
  const data = lines.flatMap((line) => dataOf(line) ?? []);
  return expected
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .flatMap((line) => {
      const shape = dataOf(line);
      const found =
        shape === undefined
          ? lines.some((one) => pattern(line).test(one))
          : data.some((one) => shapeProblems(shape[0], one).length === 0);
      return found ? [] : [`no line like: ${line}`];
    });
}

function pattern(line: string): RegExp {
  return new RegExp(`^${line.split('…').map(escaped).join('.*')}$`);
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

// In an array, since the value may itself be undefined.
function dataOf(line: string): readonly [unknown] | undefined {
  if (!line.startsWith('data:')) return undefined;
  try {
    return [JSON.parse(line.slice('data:'.length))];
  } catch {
    return undefined;
  }
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return kindOf(value) === 'object';
}
