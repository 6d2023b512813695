import { isJsonArray, isJsonObject, toJson, type Json, type Part } from '@agent-functions/core';
import type { Part as RemotePart } from '@a2a-js/sdk';

// Parts of messages, ours and those of the protocol (specification 1.0, 4.1.6).

/** A part as it is sent; what is for models only is not. */
export function toRemotePart(part: Part): RemotePart | undefined {
  if (part.type === 'text') return textPart(part.text);
  if (part.type !== 'file') return undefined;
  const { mediaType, name: filename = '', data, url } = part;
  const about = { mediaType, filename, metadata: undefined };
  if (data !== undefined) {
    return { ...about, content: { $case: 'raw', value: Buffer.from(data, 'base64') } };
  }
  return url === undefined ? undefined : { ...about, content: { $case: 'url', value: url } };
}

export function textPart(text: string): RemotePart {
  return {
    content: { $case: 'text', value: text },
    mediaType: 'text/plain',
    filename: '',
    metadata: undefined,
  };
}

export function dataPart(value: Json): RemotePart {
  return {
    content: { $case: 'data', value },
    mediaType: 'application/json',
    filename: '',
    metadata: undefined,
  };
}

/** What the text of a part is: a text as it is, data as JSON. */
export function textOfPart({ content }: RemotePart): string {
  if (content?.$case === 'text') return content.value.toWellFormed();
  return content?.$case === 'data' ? JSON.stringify(toJson(content.value)) : '';
}

/** The files among parts: bytes as base64, or addresses of the web. */
export function filesOf(parts: readonly RemotePart[]): readonly Part[] {
  return parts.flatMap(({ content, mediaType, filename }): readonly Part[] => {
    const about = {
      type: 'file' as const,
      mediaType: mediaType === '' ? 'application/octet-stream' : mediaType.toWellFormed(),
      ...(filename === '' ? {} : { name: filename.toWellFormed() }),
    };
    if (content?.$case === 'raw') {
      return [{ ...about, data: Buffer.from(content.value).toString('base64') }];
    }
    if (content?.$case !== 'url' || !isWebAddress(content.value)) return [];
    return [{ ...about, url: content.value }];
  });
}

/** The only data among parts; `undefined` where there is none, or several. */
export function onlyData(parts: readonly RemotePart[]): Json | undefined {
  const data = parts.flatMap(({ content }) =>
    content?.$case === 'data' ? [toJson(content.value)] : [],
  );
  return data.length === 1 ? data[0] : undefined;
}

/** An answer of a person: a text, or data. */
export function answerPart(answer: Json): RemotePart {
  return typeof answer === 'string' ? textPart(answer) : dataPart(answer);
}

/** Parts as they were recorded. */
export function readParts(json: Json | undefined): readonly Part[] {
  if (!isJsonArray(json)) return [];
  return json.flatMap((one): readonly Part[] => {
    if (!isJsonObject(one)) return [];
    const { type, text, mediaType, data, url, name } = one;
    if (type === 'text' && typeof text === 'string') return [{ type, text }];
    if (type !== 'file' || typeof mediaType !== 'string') return [];
    return [
      {
        type,
        mediaType,
        ...(typeof data === 'string' ? { data } : {}),
        ...(typeof url === 'string' ? { url } : {}),
        ...(typeof name === 'string' ? { name } : {}),
      },
    ];
  });
}

function isWebAddress(url: string): boolean {
  return URL.canParse(url) && /^https?:$/.test(new URL(url).protocol);
}
