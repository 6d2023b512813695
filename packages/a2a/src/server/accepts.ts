/** Whether a media type is one of those listed. `image/*` lists every image, and two stars every type. */
export function acceptsOneOf(modes: readonly string[]): (mediaType: string) => boolean {
  const listed = new Set(modes.map((mode) => mode.toLowerCase()));
  return (mediaType) =>
    listed.has(mediaType) ||
    listed.has('*/*') ||
    listed.has(`${mediaType.slice(0, mediaType.indexOf('/'))}/*`);
}
